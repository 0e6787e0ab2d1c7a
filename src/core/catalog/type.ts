/**
 * Types as the catalogue gives them, and the one question about them: would a value of the type that is
 * there now still be what the stakeholder reads?
 *
 * `type` and `base` are Postgres's own canonical spellings, `format_type(oid, typmod)` and `format_type(oid, null)`.
 */
export interface Type {
  /** With modifiers: `character varying(50)`, `numeric(10,2)`. */
  type: string
  /** Without: `character varying`, `numeric`. */
  base: string
  /** Characters, or digits of precision (bits for integers and floats); missing, as the next, or null where the type sets no limit. */
  length?: number | null
  /** Digits after the point of a numeric; null where the type sets none. */
  scale?: number | null
  /** What is behind the name of a type that somebody made (`domain over text`, `enum`): the name alone can be given to another. */
  content?: string | null
}

export type Fit = 'same' | 'narrowed' | 'changed'

/** Less room than wanted? A wanted length of null is "no limit". */
export function isNarrower(actual: number | null = null, wanted: number | null = null): boolean {
  return actual !== null && (wanted === null || actual < wanted)
}

/** A composite type, and one within it, may get attributes at its end, as a table may get columns: each attribute is told with its place. */
function isSameContent({ content: actual = null }: Type, { content: wanted = null }: Type): boolean | undefined {
  return actual === wanted || wanted?.split(', ').every((part) => actual?.split(', ').includes(part))
}

/**
 * Does `actual` serve who reads `wanted`? The same type does; a varchar may become longer or text, a numeric
 * more precise at the same scale; anything else is another type (DESIGN.md section 5).
 */
export function fitType(actual: Type, wanted: Type): Fit {
  if (actual.base === wanted.base && !isSameContent(actual, wanted)) return 'changed'
  if (actual.type === wanted.type) return 'same'
  const varchar = 'character varying'
  if (actual.base !== wanted.base) return wanted.base === varchar && actual.base === 'text' ? 'same' : 'changed'
  if (wanted.base === varchar || (wanted.base === 'numeric' && (actual.scale ?? null) === (wanted.scale ?? null))) {
    return isNarrower(actual.length, wanted.length) ? 'narrowed' : 'same'
  }
  // An unlimited numeric that got a precision holds less than before; a changed scale is another number.
  return wanted.type === wanted.base ? 'narrowed' : 'changed'
}

/** As `fitType`, for a type that a person wrote: without modifiers it means "with any". */
export function fitDeclaredType(actual: Type, declared: Type): Fit {
  if (declared.type === declared.base && actual.base === declared.base && isSameContent(actual, declared)) return 'same'
  return fitType(actual, declared)
}
