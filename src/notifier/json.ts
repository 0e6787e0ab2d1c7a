/** JSON bytes, written into memory that is used again and again: nothing is made of a value, its bytes go from there to here. */
import { NULL, type Tuple } from './pgoutput.ts'

/** How a type's text becomes JSON. */
export type Form = 'as it is' | 'boolean' | 'float' | 'json' | 'string'

/** int8 and numeric are strings: JSON's readers would lose digits. */
export function formOf(typeOid: number): Form {
  switch (typeOid) {
    case 21: // int2
    case 23: // int4
    case 3802: // jsonb
      return 'as it is'
    case 16:
      return 'boolean'
    case 700: // float4
    case 701: // float8
      return 'float'
    case 114: // json
      return 'json'
    default:
      return 'string'
  }
}

const FIRST_SIZE = 64 << 10
/** A value is looked at in pieces, so that room for the worst case of it need not be made at once. */
const PIECE = 4096
/** The escape of a control character, \u0001, is the longest. */
const LONGEST_ESCAPE = 6
/** What is longer is copied by the engine. */
const SHORT = 48

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL_TEXT = Buffer.from('null')
const HEX = Buffer.from('0123456789abcdef')
/** Of \b \t \n \f \r, by their code. */
const SHORT_ESCAPES: Record<number, number> = { 8: 0x62, 9: 0x74, 10: 0x6e, 12: 0x66, 13: 0x72 }

export class JsonWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_SIZE)
  #at = 0

  /** A copy of what was written since the last one. */
  take(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#at)
    this.#bytes.copy(bytes, 0, 0, this.#at)
    this.#at = 0
    return bytes
  }

  raw(bytes: Buffer): void {
    this.#range(bytes, 0, bytes.length)
  }

  byte(byte: number): void {
    if (this.#at + 1 > this.#bytes.length) this.#grow(1)
    this.#bytes[this.#at++] = byte
  }

  /** The value of a tuple that begins at `start` (not NOT_SENT). */
  value(tuple: Tuple, start: number, form: Form): void {
    if (start === NULL) {
      this.raw(NULL_TEXT)
      return
    }
    const { source } = tuple
    const end = tuple.end(start)
    switch (form) {
      case 'as it is':
        this.#range(source, start, end)
        return
      case 'boolean':
        this.raw(source[start] === 0x74 ? TRUE : FALSE)
        return
      case 'float': {
        const last = source[end - 1] as number
        // NaN, Infinity, -Infinity: no numbers in JSON. They end in a letter.
        if (last > 0x39) this.#string(source, start, end)
        else this.#range(source, start, end)
        return
      }
      case 'json':
        this.#oneLine(source, start, end)
        return
      default:
        this.#string(source, start, end)
    }
  }

  #range(source: Buffer, start: number, end: number): void {
    const size = end - start
    if (this.#at + size > this.#bytes.length) this.#grow(size)
    if (size > SHORT) source.copy(this.#bytes, this.#at, start, end)
    else {
      const bytes = this.#bytes
      let at = this.#at
      for (let i = start; i < end; i++) bytes[at++] = source[i] as number
    }
    this.#at += size
  }

  #string(source: Buffer, start: number, end: number): void {
    this.byte(0x22)
    for (let from = start; from < end; from += PIECE) this.#escape(source, from, Math.min(from + PIECE, end))
    this.byte(0x22)
  }

  #escape(source: Buffer, start: number, end: number): void {
    const worst = (end - start) * LONGEST_ESCAPE
    if (this.#at + worst > this.#bytes.length) this.#grow(worst)
    const bytes = this.#bytes
    let at = this.#at
    for (let i = start; i < end; i++) {
      const byte = source[i] as number
      if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) {
        bytes[at++] = byte
        continue
      }
      bytes[at++] = 0x5c
      const short = byte < 0x20 ? SHORT_ESCAPES[byte] : byte
      if (short !== undefined) bytes[at++] = short
      else {
        bytes[at++] = 0x75 // \u00..
        bytes[at++] = 0x30
        bytes[at++] = 0x30
        bytes[at++] = HEX[byte >> 4] as number
        bytes[at++] = HEX[byte & 15] as number
      }
    }
    this.#at = at
  }

  /** json is kept as it was written. Outside of strings a line feed is a space, and inside there is none. */
  #oneLine(source: Buffer, start: number, end: number): void {
    const from = this.#at
    this.#range(source, start, end)
    const bytes = this.#bytes
    for (let i = from; i < this.#at; i++) if (bytes[i] === 10 || bytes[i] === 13) bytes[i] = 0x20
  }

  #grow(needed: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + needed))
    this.#bytes.copy(bytes, 0, 0, this.#at)
    this.#bytes = bytes
  }
}
