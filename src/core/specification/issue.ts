/**
 * What is wrong with a document, and where: a JSON pointer (RFC 6901) and a sentence that completes it.
 * All the issues of a document are told at once.
 */
export interface Issue {
  pointer: string
  message: string
}

export type Report = (pointer: string, message: string) => void

/** RFC 6901: `~` and `/` inside a key are written `~0` and `~1`. */
export function child(pointer: string, key: PropertyKey): string {
  return `${pointer}/${String(key).replace(/~/g, '~0').replace(/\//g, '~1')}`
}

export function issueLine(issue: Issue): string {
  return `${issue.pointer === '' ? '(document)' : issue.pointer}: ${issue.message}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return { object: 'an object', string: 'a string', number: 'a number', boolean: 'a boolean' }[typeof value as string] ?? 'nothing'
}

/** Answers a value as what it is, or tells what is wrong with it and answers nothing. */
export type Reader<T> = (value: unknown, pointer: string, report: Report) => T | undefined

function kind<T>(name: string, isKind: (value: unknown) => value is T): Reader<T> {
  return (value, pointer, report) => {
    if (isKind(value)) return value
    report(pointer, `must be ${name}, not ${kindOf(value)}`)
    return undefined
  }
}

export const text = kind('a string', (value) => typeof value === 'string')
export const flag = kind('true or false', (value) => typeof value === 'boolean')
const array = kind('an array', (value): value is unknown[] => Array.isArray(value))
const object = kind(
  'an object',
  (value): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value),
)

/** Whatever it is: its own reader has more to know than the value. */
export const anything: Reader<unknown> = (value) => value

export const list: Reader<unknown[]> = (value, pointer, report) => {
  const elements = array(value, pointer, report)
  if (elements?.length !== 0) return elements
  report(pointer, 'must not be empty')
  return undefined
}

export function wholeNumber(least: number, most: number): Reader<number> {
  return (value, pointer, report) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      report(pointer, `must be a whole number, not ${typeof value === 'number' ? value : kindOf(value)}`)
    } else if (value < least) report(pointer, `must be at least ${least}`)
    else if (value > most) report(pointer, `must be at most ${most}`)
    else return value
    return undefined
  }
}

/** The members that an object may have; `optional` ones may be missing. */
export interface Shape<Required, Optional> {
  required: { [Key in keyof Required]: Reader<Required[Key]> }
  optional: { [Key in keyof Optional]: Reader<Optional[Key]> }
}

/**
 * Reads one level of a document. The caller has already picked which of several shapes was meant, so that a person
 * is told of that one alone.
 *
 * @returns the members that are right, so that the caller can go on and tell of all problems at once;
 *   null if the value is no object
 */
export function readMembers<Required, Optional>(
  { required, optional }: Shape<Required, Optional>,
  value: unknown,
  pointer: string,
  report: Report,
): { [Key in keyof (Required & Optional)]: (Required & Optional)[Key] | undefined } | null {
  const members = object(value, pointer, report)
  if (members === undefined) return null
  const readers = new Map<string, Reader<unknown>>(Object.entries({ ...required, ...optional }))
  const found = [...readers].map(([key, read]) => {
    const member = members[key]
    if (member !== undefined) return [key, read(member, child(pointer, key), report)]
    if (key in required) report(child(pointer, key), 'is required')
    return [key, undefined]
  })
  for (const key of Object.keys(members)) {
    if (!readers.has(key)) report(child(pointer, key), 'is not a known key')
  }
  return Object.fromEntries(found)
}
