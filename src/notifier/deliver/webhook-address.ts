/**
 * Which addresses may a webhook go to? Those of the public internet. Not this machine, not the network around it, not what a cloud
 * tells its machines about themselves: whoever writes a channel's URL would reach with the notifier's hands what is not theirs.
 *
 * Asked after the name was looked up and of the very addresses that are connected to: a name that answers otherwise the next time gains nothing.
 */
import { BlockList, isIP } from 'node:net'

/** IANA's special-purpose addresses, multicast, and one of Azure's that looks public. */
const REFUSED4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24'],
  ...['192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  '168.63.129.16/32',
]
/** Of what is global unicast: protocol assignments (Teredo among them), documentation, 6to4. */
const REFUSED6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']
/** IPv6 is refused unless it is one of these: global unicast; IPv4 as IPv6 writes it, and as NAT64 does. */
const POSSIBLE6 = ['2000::/3', '::ffff:0:0/96', '64:ff9b::/96']

const refused = blockList([
  ...REFUSED4,
  ...REFUSED6,
  ...REFUSED4.flatMap((subnet) => [embed('::ffff:', subnet), embed('64:ff9b::', subnet)]),
])
const possible = blockList(POSSIBLE6)

function embed(prefix: string, subnet: string): string {
  const [address, bits] = subnet.split('/')
  return `${prefix}${address}/${96 + Number(bits)}`
}

function blockList(subnets: string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/')
    list.addSubnet(address, Number(bits), isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !refused.check(address, 'ipv4')
  // A scope (fe80::1%eth0) is for what is not public, and BlockList does not read it.
  return isIP(address) === 6 && !address.includes('%') && possible.check(address, 'ipv6') && !refused.check(address, 'ipv6')
}
