/**
 * What is wrong with a document, and where: a JSON pointer (RFC 6901) and a sentence that completes it.
 * All the issues of a document are told at once.
 */
export interface Issue {
  pointer: string
  message: string
}

/** RFC 6901: `~` and `/` inside a key are written `~0` and `~1`. */
export function child(pointer: string, key: PropertyKey): string {
  return `${pointer}/${String(key).replace(/~/g, '~0').replace(/\//g, '~1')}`
}

export function issueLine({ pointer, message }: Issue): string {
  return `${pointer === '' ? '(document)' : pointer}: ${message}`
}

/** A place in a document. What is wrong at any of its places is kept in one list. */
export class Place {
  /** Null of the whole document. */
  private readonly parent: Place | null
  private readonly key: PropertyKey
  private readonly issues: Issue[]

  constructor(issues: Issue[], parent: Place | null = null, key: PropertyKey = '') {
    this.parent = parent
    this.key = key
    this.issues = issues
  }

  child(key: PropertyKey): Place {
    return new Place(this.issues, this, key)
  }

  /** Put together when somebody asks: most places are right. */
  get pointer(): string {
    return this.parent === null ? '' : child(this.parent.pointer, this.key)
  }

  /** Answers nothing, as the reader does that found it. */
  report(message: string): undefined {
    this.issues.push({ pointer: this.pointer, message })
  }

  /** Tells of what stands more than once: `seen` keeps where a key stood first. */
  reportDuplicate(seen: Map<string, Place>, key: string): void {
    const first = seen.get(key)
    if (first === undefined) seen.set(key, this)
    else this.report(`names again what ${first.pointer} names; put both into one`)
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return { object: 'an object', string: 'a string', number: 'a number', boolean: 'a boolean' }[typeof value as string] ?? 'nothing'
}

/** Answers a value as what it is, or tells what is wrong with it and answers nothing. */
export type Reader<T> = (value: unknown, at: Place) => T | undefined

function ofKind<T>(name: string, isKind: (value: unknown) => value is T): Reader<T> {
  return (value, at) => (isKind(value) ? value : at.report(`must be ${name}, not ${kindOf(value)}`))
}

export const string = ofKind('a string', (value) => typeof value === 'string')
export const flag = ofKind('true or false', (value) => typeof value === 'boolean')
export const array = ofKind('an array', (value): value is unknown[] => Array.isArray(value))
const object = ofKind('an object', isObject)

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whatever it is: its own reader has more to know than the value. */
export const anything: Reader<unknown> = (value) => value

export const nonEmpty: Reader<unknown[]> = (value, at) => {
  const elements = array(value, at)
  return elements?.length === 0 ? at.report('must not be empty') : elements
}

/** The elements of a list, none of which may stand in it twice. */
export function setOf<T extends string>(list: Reader<unknown[]>, element: Reader<T>): Reader<T[]> {
  return (value, at) => {
    const seen = new Map<string, Place>()
    return list(value, at)?.flatMap((each, index) => {
      const here = at.child(index)
      const found = element(each, here)
      if (found === undefined) return []
      here.reportDuplicate(seen, found)
      return [found]
    })
  }
}

export function wholeNumber(least: number, most: number): Reader<number> {
  return (value, at) => {
    if (typeof value !== 'number') return at.report(`must be a whole number, not ${kindOf(value)}`)
    if (!Number.isInteger(value)) return at.report(`must be a whole number, not ${value}`)
    if (value < least) return at.report(`must be at least ${least}`)
    return value > most ? at.report(`must be at most ${most}`) : value
  }
}

export type Readers = Record<string, Reader<unknown>>
export type Members<R extends Readers> = { [Key in keyof R]: ReturnType<R[Key]> }

/**
 * Reads one level of a document. The caller has already picked which of several shapes was meant, so that a person
 * is told of that one alone.
 *
 * @param required the members that must not be missing
 * @returns the members that are right, so that the caller can go on and tell of all problems at once; nothing if the
 *   value is no object
 */
export function readMembers<R extends Readers>(
  required: readonly (keyof R)[],
  readers: R,
  value: unknown,
  at: Place,
): Members<R> | undefined {
  const members = object(value, at)
  if (members === undefined) return undefined
  const found = Object.entries(readers).map(([key, read]) => {
    const member = members[key]
    if (member !== undefined) return [key, read(member, at.child(key))]
    if (required.includes(key)) at.child(key).report('is required')
    return [key, undefined]
  })
  const known = new Set(Object.keys(readers))
  for (const key of Object.keys(members)) if (!known.has(key)) at.child(key).report('is not a known key')
  return Object.fromEntries(found)
}
