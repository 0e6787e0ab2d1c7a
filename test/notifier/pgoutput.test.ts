/** The decoder on bytes that PostgreSQL 18 wrote, and on what no server writes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, MalformedMessage, relationOf, type Tuple, UNCHANGED } from '../../src/notifier/pgoutput.ts'

const RECORDED = {
  begin: '420000000001759160000303e2d45c97d8000002f2',
  commit: '430000000000017591600000000001759190000303e2d45c97d8',
  relation:
    '52000040007075626c6963006974656d006400040169640000000014ffffffff006e616d650000000019ffffffff00707269636500000006a4000a0006006e6f74650000000019ffffffff',
  full: '52000040087075626c69630077686f6c65006600020169640000000017ffffffff016e616d650000000019ffffffff',
  type: '590000400e7075626c6963006d6f6f6400',
  insert: '49000040004e000474000000103930303731393932353437343039393374000000045a6fc3ab740000000531322e35306e',
  update: '55000040004e00047400000010393030373139393235343734303939336e740000000531322e353075',
  updateOfKey: '55000040004b00047400000010393030373139393235343734303939336e6e6e4e00047400000001326e740000000531322e353075',
  updateOfWhole: '55000040084f00027400000001317400000001614e0002740000000131740000000162',
  delete: '44000040004b00047400000001326e6e6e',
  deleteOfWhole: '44000040084f0002740000000131740000000162',
  truncate: '5400000002030000400000004008',
  emitted: '4d00000000000175aca86f7574736964650000000004c3a4c3b6',
  origin: '4f0000000000aabbcc656c736500',
}
type Name = keyof typeof RECORDED
const names = Object.keys(RECORDED) as Name[]
const bytesOf = (name: Name) => Buffer.from(RECORDED[name], 'hex')
const values = (tuple: Tuple | null) => tuple && Array.from({ length: tuple.length }, (_, column) => tuple.value(column))

/** The message with its tuples read. */
function read(bytes: Buffer, start?: number, end?: number): Record<string, unknown> {
  const message: Record<string, unknown> = { ...decode(bytes, start, end) }
  for (const part of ['key', 'old', 'row']) if (message[part]) message[part] = values(message[part] as Tuple)
  return message
}

describe('what PostgreSQL wrote', () => {
  test('begin and commit: both LSNs, and a time that counts from 1970', () => {
    const committedAt = BigInt(Date.UTC(2000, 0, 1)) * 1000n + 0x303e2d45c97d8n
    expect(read(bytesOf('begin'))).toEqual({ kind: 'begin', commitLsn: 0x1759160n, committedAt, xid: 754 })
    expect(read(bytesOf('commit'))).toEqual({ kind: 'commit', commitLsn: 0x1759160n, endLsn: 0x1759190n, committedAt })
    expect(new Date(Number(committedAt / 1000n)).getUTCFullYear()).toBe(2026)
  })

  test('relations and types', () => {
    const column = (name: string, typeOid: number, key = false, typeModifier = -1) => ({ name, key, typeOid, typeModifier })
    expect(read(bytesOf('relation'))).toEqual({
      kind: 'relation',
      oid: 16384,
      schema: 'public',
      name: 'item',
      identity: 'default',
      columns: [column('id', 20, true), column('name', 25), column('price', 1700, false, 655366), column('note', 25)],
    })
    expect(read(bytesOf('full'))).toMatchObject({ identity: 'full', columns: [column('id', 23, true), column('name', 25, true)] })
    expect(read(bytesOf('type'))).toEqual({ kind: 'type', oid: 16398, schema: 'public', name: 'mood' })
  })

  test('rows: text as it was written, null, and what an UPDATE did not touch', () => {
    expect(read(bytesOf('insert'))).toEqual({ kind: 'insert', relation: 16384, row: ['9007199254740993', 'Zoë', '12.50', null] })
    expect(read(bytesOf('update'))).toEqual({
      kind: 'update',
      relation: 16384,
      key: null,
      old: null,
      row: ['9007199254740993', null, '12.50', UNCHANGED],
    })
    expect(read(bytesOf('updateOfKey'))).toMatchObject({
      key: ['9007199254740993', null, null, null],
      old: null,
      row: ['2', null, '12.50', UNCHANGED],
    })
    expect(read(bytesOf('updateOfWhole'))).toMatchObject({ key: null, old: ['1', 'a'], row: ['1', 'b'] })
    expect(read(bytesOf('delete'))).toEqual({ kind: 'delete', relation: 16384, key: ['2', null, null, null], old: null })
    expect(read(bytesOf('deleteOfWhole'))).toEqual({ kind: 'delete', relation: 16392, key: null, old: ['1', 'b'] })
  })

  test('truncate, emitted messages, origins', () => {
    expect(read(bytesOf('truncate'))).toEqual({ kind: 'truncate', relations: [16384, 16392], cascade: true, restartIdentity: true })
    expect(read(bytesOf('emitted'))).toEqual({
      kind: 'message',
      transactional: false,
      lsn: 0x175aca8n,
      prefix: 'outside',
      content: Buffer.from('äö'),
    })
    expect(read(bytesOf('origin'))).toEqual({ kind: 'origin', lsn: 0xaabbccn, name: 'else' })
  })

  test('a row tells its relation without being decoded; the rest has none', () => {
    expect(names.filter((name) => relationOf(bytesOf(name)) !== null)).toEqual([
      'insert',
      'update',
      'updateOfKey',
      'updateOfWhole',
      'delete',
      'deleteOfWhole',
    ])
    expect(relationOf(bytesOf('deleteOfWhole'))).toBe(16392)
    expect(() => relationOf(bytesOf('delete').subarray(0, 4))).toThrow(MalformedMessage)
  })

  test('a value is read when it is asked for, as bytes without a copy', () => {
    const bytes = bytesOf('insert')
    const message = decode(bytes)
    if (message.kind !== 'insert') throw new Error()
    expect(message.row.bytes(1)?.buffer).toBe(bytes.buffer)
    expect([message.row.bytes(3), message.row.isNull(3), message.row.isUnchanged(3)]).toEqual([null, true, false])
    expect(() => message.row.value(4)).toThrow(RangeError)
  })
})

describe('what no server writes', () => {
  test.each(names)('%s, cut off at any byte or a byte too long, is an error', (name) => {
    const bytes = bytesOf(name)
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decode(bytes.subarray(0, length)), `${length} bytes`).toThrow(MalformedMessage)
      // The rest of the message lies behind, as in a batch: it must not be read.
      expect(() => decode(bytes, 0, length), `${length} bytes with more behind`).toThrow(MalformedMessage)
    }
    expect(() => decode(Buffer.concat([bytes, Buffer.from([0])]))).toThrow('1 bytes too many')
  })

  test('kinds, markers and flags that protocol 1 does not have', () => {
    for (const hex of ['53000000010', '58', '7a', '00'].map((text) => text.slice(0, text.length & ~1))) {
      expect(() => decode(Buffer.from(hex, 'hex')), hex).toThrow(/unknown kind/)
    }
    const changed = (name: Name, at: number, to: number) => {
      const bytes = bytesOf(name)
      bytes[at] = to
      return () => decode(bytes)
    }
    expect(changed('insert', 5, 0x4f)).toThrow('O where N (the new row) belongs')
    expect(changed('update', 5, 0x58)).toThrow(MalformedMessage)
    expect(changed('delete', 5, 0x4e)).toThrow('N where K')
    expect(changed('insert', 8, 0x62)).toThrow("b where a column's n, u or t belongs (column 0)")
    expect(changed('commit', 1, 1)).toThrow('unknown flags')
    expect(changed('truncate', 5, 4)).toThrow('unknown flags')
    expect(changed('emitted', 1, 2)).toThrow('unknown flags')
    expect(changed('relation', 17, 0x7a)).toThrow('unknown replica identity z')
    expect(changed('insert', 9, 0xff)).toThrow('cut off') // a length of 4 GB
    expect(() => decode(bytesOf('insert'), 0, 1000)).toThrow(RangeError)
  })

  test('any bytes are a message or a MalformedMessage, at any place in a buffer', () => {
    const kinds = fc.constantFrom(...Buffer.from('BCORYIUDTM'))
    fc.assert(
      fc.property(kinds, fc.uint8Array({ maxLength: 60 }), fc.nat(5), (kind, rest, offset) => {
        const bytes = Buffer.from([...Array(offset).fill(0x74), kind, ...rest, 0, 0, 0, 1, 0x74])
        const end = offset + 1 + rest.length
        let inside: unknown
        try {
          inside = read(bytes, offset, end)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage)
          return
        }
        expect(inside).toEqual(read(Buffer.from([kind, ...rest])))
      }),
      { numRuns: 2000 },
    )
  })

  test('what is written is what is read, whatever the row', () => {
    const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constant(null), fc.constant(UNCHANGED))
    const rows = fc.array(value, { maxLength: 12 })
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.option(rows), fc.boolean(), rows, fc.nat(4), (oid, before, full, after, offset) => {
        const message = Buffer.concat([
          Buffer.from('U'),
          uint32(oid),
          ...(before ? [Buffer.from(full ? 'O' : 'K'), tuple(before)] : []),
          Buffer.from('N'),
          tuple(after),
        ])
        const bytes = Buffer.concat([Buffer.alloc(offset, 'x'), message, Buffer.from('t')])
        expect(read(bytes, offset, offset + message.length)).toEqual({
          kind: 'update',
          relation: oid,
          key: full ? null : before,
          old: full ? before : null,
          row: after,
        })
        for (let length = 0; length < message.length; length++) {
          expect(() => decode(bytes, offset, offset + length)).toThrow(MalformedMessage)
        }
      }),
      { numRuns: 50 },
    )
  })
})

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function tuple(row: (string | null | typeof UNCHANGED)[]): Buffer {
  const column = (value: string | null | typeof UNCHANGED) => {
    if (value === null) return Buffer.from('n')
    if (value === UNCHANGED) return Buffer.from('u')
    const text = Buffer.from(value)
    return Buffer.concat([Buffer.from('t'), uint32(text.length), text])
  }
  return Buffer.concat([Buffer.from([row.length >> 8, row.length & 255]), ...row.map(column)])
}
