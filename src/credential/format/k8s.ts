import { InputError } from '../../input-error.ts'
import { fields } from './fields.ts'
import type { Login } from './login.ts'

export interface Manifest {
  /** The Secret's name; without it the stakeholder's, if that can be one. */
  name?: string
  namespace?: string
}

/** DNS-1123, as Kubernetes checks it: a subdomain for names, a label for namespaces. */
const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const isSubdomain = (name: string): boolean => name.length <= 253 && new RegExp(`^${label}([.]${label})*$`).test(name)
const isLabel = (name: string): boolean => name.length <= 63 && new RegExp(`^${label}$`).test(name)

/**
 * YAML's double quotes around ASCII: right in YAML 1.1 and 1.2, whatever the text is. JSON's quotes are not enough, since
 * its pairs of surrogates are none in YAML.
 */
function quote(text: string): string {
  const escaped = Array.from(text, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`
    if (/^[ -~]$/.test(character)) return character
    const code = (character.codePointAt(0) as number).toString(16).toUpperCase()
    return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`
  })
  return `"${escaped.join('')}"`
}

function map(entries: Record<string, string>): string {
  return Object.entries(entries)
    .map(([key, value]) => `  ${key}: ${quote(value)}\n`)
    .join('')
}

function annotations({ stakeholder, valid_until }: Login): string {
  const entries = {
    'integratedb/stakeholder': stakeholder,
    ...(valid_until === undefined ? {} : { 'integratedb/valid-until': valid_until }),
  }
  return `  annotations:\n${map(entries).replace(/^/gm, '  ').trimEnd()}\n`
}

/** A Secret for `kubectl apply -f -`. */
export function k8s(login: Login, { name = login.stakeholder, namespace }: Manifest = {}): string {
  if (!isSubdomain(name)) {
    throw new InputError(
      `${name === login.stakeholder ? "the stakeholder's name" : 'the name'} cannot be that of a Secret (lower-case letters, digits, - and ., at most 253): give one with --name`,
    )
  }
  if (namespace !== undefined && !isLabel(namespace)) {
    throw new InputError('the namespace is none that Kubernetes takes (lower-case letters, digits and -, at most 63)')
  }
  return [
    'apiVersion: v1\nkind: Secret\nmetadata:\n',
    map({ name, ...(namespace === undefined ? {} : { namespace }) }),
    annotations(login),
    'type: kubernetes.io/basic-auth\nstringData:\n',
    map(fields(login)),
  ].join('')
}
