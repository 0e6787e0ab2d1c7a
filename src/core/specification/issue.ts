/**
 * What is wrong with a document, and where: a JSON pointer (RFC 6901) and a sentence that completes it.
 * All the issues of a document are told at once.
 */
import type * as z from 'zod/mini'

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

const expected: Record<string, string> = {
  array: 'an array',
  object: 'an object',
  string: 'a string',
  int: 'a whole number',
  number: 'a whole number',
  boolean: 'true or false',
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = (found as Record<PropertyKey, unknown>)[key]
  }
  return found
}

/**
 * Validates one level of a document, and reports what is wrong with it. zod's own messages for nested unions
 * list every branch; here each schema is flat, the caller has already picked the branch that was meant, and the
 * words are ours.
 *
 * @returns the members that are right, so that the caller can go on and tell of all problems at once;
 *   null if the value is of another kind altogether
 */
export function validate<T>(schema: z.ZodMiniType<T>, value: unknown, pointer: string, report: Report): Partial<T> | null {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  let rest: Partial<T> | null = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...(value as T) } : null
  for (const issue of result.error.issues) {
    const where = issue.path.reduce<string>(child, pointer)
    const found = at(value, issue.path)
    const [member] = issue.path
    if (issue.code !== 'unrecognized_keys' && rest !== null) {
      if (member === undefined) rest = null
      else delete rest[member as keyof T]
    }
    switch (issue.code) {
      case 'invalid_type':
        report(where, found === undefined ? 'is required' : `must be ${expected[issue.expected] ?? issue.expected}, not ${kindOf(found)}`)
        break
      case 'unrecognized_keys':
        for (const key of issue.keys) report(child(where, key), 'is not a known key')
        break
      case 'too_small':
        report(where, issue.origin === 'array' ? 'must not be empty' : `must be at least ${issue.minimum}`)
        break
      case 'too_big':
        report(where, `must be at most ${issue.maximum}`)
        break
      case 'invalid_value':
        report(where, `must be one of ${issue.values.map((each) => JSON.stringify(each)).join(', ')}`)
        break
      default:
        report(where, issue.message)
    }
  }
  return rest
}
