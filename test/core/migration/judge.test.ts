import { describe, expect, test } from 'vitest'
import type { Column, Relation, RowFilter } from '../../../src/core/catalog/catalog.ts'
import {
  brief,
  catalogOf,
  claimed,
  granted,
  judged,
  migrated,
  relation,
  rowFilter,
  updated,
  withAccess,
  withColumn,
  writable,
} from '../fixture.ts'

const columns = ['1 id integer not null', '2 total numeric(10,2)', '3 name character varying(50)']
const orders = relation(1, 'public.orders', columns)
const items = relation(2, 'public.items', ['1 id integer'])

/** `orders` with some columns put in place of those of the same number. */
function ordersWith(...changed: string[]): Relation {
  const number = (text: string) => text.split(' ')[0]
  return relation(1, 'public.orders', [...columns.filter((each) => !changed.some((other) => number(other) === number(each))), ...changed])
}

function ordersWithout(num: number): Relation {
  return { ...orders, columns: orders.columns.filter((column) => column.num !== num) }
}

/** What these claims, made on `before`, say of `after`. */
function findings(match: unknown, after: Relation[], before: Relation[] = [orders, items]): string[] {
  const { claims, catalog } = claimed([match].flat(), catalogOf(before))
  const { verdict, findings: found, report } = judged(claims, migrated(catalog, after))
  const breaking = found.filter(({ severity }) => severity === 'breaking')
  expect(verdict).toBe(breaking.length > 0 ? 'reject' : 'accept')
  expect(report === null).toBe(breaking.length === 0)
  return found.map((finding) => `${brief(finding)}: ${finding.message}`)
}

const allFields = { path: 'public.orders', fields: '*' }

describe('what breaks a claim on the relation', () => {
  test.each<[string, Relation[], string]>([
    ['dropped', [items], 'IDB101 public.orders: the relation was dropped'],
    ['renamed', [{ ...orders, name: 'Sales' }], 'IDB102 public.orders: the relation was renamed to "Sales"'],
    ['moved', [relation(1, 'archive.orders', columns)], 'IDB103 public.orders: the relation was moved to archive.orders'],
    ['another kind', [relation(9, 'public.orders', [], { kind: 'S' })], 'IDB104 public.orders: the name now belongs to a sequence'],
  ])('%s', (_, after, finding) => {
    expect(findings(allFields, after)).toEqual([`breaking ${finding}`])
    expect(findings({ path: 'public.orders' }, after)).toEqual([`breaking ${finding}`])
    expect(findings({ ...allFields, optional: true }, after)).toEqual([`info ${finding}`])
  })
})

describe('what breaks a claim on a column', () => {
  test.each<[string, unknown, Relation, string | null]>([
    ['dropped', 'total', ordersWithout(2), 'IDB201 public.orders.total: the column was dropped'],
    ['dropped and added', 'total', { ...ordersWithout(2), columns: ordersWith('9 total numeric(10,2)').columns }, null],
    ['another one dropped', 'id', ordersWithout(2), null],
    ['renamed', 'total', ordersWith('2 Amount numeric(10,2)'), 'IDB202 public.orders.total: the column was renamed to "Amount"'],
    ['renamed, and another put in its place', 'total', ordersWith('2 amount numeric(10,2)', '9 total numeric(10,2)'), null],
    ['another type', 'total', ordersWith('2 total text'), 'IDB203 public.orders.total: the type was changed to text'],
    ['less precise', 'total', ordersWith('2 total numeric(8,2)'), 'IDB204 public.orders.total: the type was narrowed to numeric(8,2)'],
    ['more precise', 'total', ordersWith('2 total numeric(12,2)'), null],
    [
      'shorter',
      'name',
      ordersWith('3 name character varying(40)'),
      'IDB204 public.orders.name: the type was narrowed to character varying(40)',
    ],
    ['longer', 'name', ordersWith('3 name character varying(60)'), null],
    ['text', 'name', ordersWith('3 name text'), null],
    ['shorter, and long enough', { name: 'name', min_length: 40 }, ordersWith('3 name character varying(40)'), null],
    [
      'shorter than said',
      { name: 'name', min_length: 40 },
      ordersWith('3 name character varying(39)'),
      'IDB204 public.orders.name: the type was narrowed to character varying(39)',
    ],
    ['another of the types', { name: 'id', type: ['integer', 'bigint'] }, ordersWith('1 id bigint not null'), null],
    [
      'none of the types',
      { name: 'id', type: ['integer', 'bigint'] },
      ordersWith('1 id text not null'),
      'IDB203 public.orders.id: the type was changed to text',
    ],
    [
      'shorter, of a type without length',
      { name: 'name', type: 'character varying' },
      ordersWith('3 name character varying(40)'),
      'IDB204 public.orders.name: the type was narrowed to character varying(40)',
    ],
    ['nullable', 'id', ordersWith('1 id integer'), 'IDB205 public.orders.id: the column may now be null'],
    ['nullable, which is accepted', { name: 'id', is_nullable: true }, ordersWith('1 id integer'), null],
    ['not null', 'total', ordersWith('2 total numeric(10,2) not null'), null],
  ])('%s', (_, field, after, finding) => {
    const match = { path: 'public.orders', fields: [field] }
    expect(findings(match, [after])).toEqual(finding === null ? [] : [`breaking ${finding}`])
  })

  test('a view in the place of a table: its columns do not know whether they may be null', () => {
    const view = relation(9, 'public.orders', columns, { kind: 'v' })
    for (const column of view.columns) column.nullable = null
    expect(findings(allFields, [{ ...orders, name: 'orders_v1' }, view])).toEqual([])
  })

  test('an optional column may go, and come as another', () => {
    const match = { path: 'public.orders', fields: [{ name: 'total', optional: true }] }
    expect(findings(match, [ordersWithout(2)])).toEqual(['info IDB201 public.orders.total: the column was dropped'])
    expect(findings(match, [ordersWith('2 total text')])).toEqual(['breaking IDB203 public.orders.total: the type was changed to text'])
  })
})

describe('alternatives stand in for each other', () => {
  const field = { path: 'public.orders', fields: [{ alternatives: ['total', 'amount'] }] }
  const both = ordersWith('4 amount integer')

  test.each<[string, Relation[], Relation[], string[]]>([
    [
      'one of two columns goes',
      [both],
      [{ ...both, columns: both.columns.filter(({ num }) => num !== 2) }],
      ['info IDB201 public.orders.total'],
    ],
    ['the only one goes', [orders], [ordersWithout(2)], ['breaking IDB201 public.orders.total']],
    ['the other one comes', [orders], [both], []],
    [
      'one is replaced by the other',
      [orders],
      [{ ...ordersWithout(2), columns: [...ordersWithout(2).columns, ...both.columns.slice(-1)] }],
      ['info IDB201 public.orders.total'],
    ],
  ])('%s', (_, before, after, found) => {
    expect(findings(field, after, before).map((line) => line.split(':')[0])).toEqual(found)
  })

  const match = {
    alternatives: [
      { path: 'public.orders', fields: ['total'] },
      { path: 'public.items', fields: ['id'] },
    ],
  }

  test.each<[string, Relation[], Relation[], string[]]>([
    ['one of two relations goes', [orders, items], [items], ['info IDB101 public.orders']],
    ['both go', [orders, items], [], ['breaking IDB101 public.orders', 'breaking IDB101 public.items']],
    ['the only one goes', [orders], [], ['breaking IDB101 public.orders']],
    ['the only one loses its column', [orders], [ordersWithout(2)], ['breaking IDB201 public.orders.total']],
    ['the other one comes', [orders], [orders, items], []],
    [
      'one that was never right stays so',
      [orders, relation(2, 'public.items', [])],
      [orders, relation(2, 'public.items', ['1 x integer'])],
      [],
    ],
  ])('%s', (_, before, after, found) => {
    expect(findings(match, after, before).map((line) => line.split(':')[0])).toEqual(found)
  })

  test('optional alternatives may all go', () => {
    expect(findings({ ...match, optional: true }, []).map((line) => line.split(':')[0])).toEqual([
      'info IDB101 public.orders',
      'info IDB101 public.items',
    ])
  })

  test('one that the migration did not touch stands in too', () => {
    const { claims, catalog } = claimed([match], catalogOf([orders, items]))
    const [first, second] = claims
    if (first === undefined || second === undefined) throw new Error('two claims were made')
    expect(judged([first], migrated(catalog, []), [second]).verdict).toBe('accept')
    expect(judged([first], migrated(catalog, []), []).verdict).toBe('reject')
  })

  test('an absent field of an alternative that holds is nothing to tell of again and again', () => {
    const inner = { alternatives: [{ path: 'public.orders', fields: [{ alternatives: ['total', 'amount'] }] }, { path: 'public.none' }] }
    expect(findings(inner, [ordersWithout(3)])).toEqual([])
  })

  test('a name in two places of a document is two claims', () => {
    const twice = {
      path: 'public.orders',
      fields: [{ name: 'total', type: ['numeric', 'text'] }, { alternatives: [{ name: 'total', type: 'numeric' }, 'id'] }],
    }
    expect(findings(twice, [ordersWith('2 total text')]).map((line) => line.split(':')[0])).toEqual(['info IDB203 public.orders.total'])
  })
})

describe('wildcards', () => {
  const wildcard = { path: 'public.*', fields: '*' }

  test('take in what is new, and grant it', () => {
    const { claims, catalog } = claimed([wildcard], catalogOf([orders]))
    const { findings: found, claims: changed, grants } = judged(claims, migrated(catalog, [orders, items]))
    expect(found).toEqual([])
    expect(changed.map(({ relation_name, status }) => `${relation_name} ${status}`)).toEqual(['items met'])
    expect(grants).toMatchObject([{ name: 'items', grant: [{ privilege: 'select', columns: ['id'] }] }])
  })

  test('break when one of their relations goes', () => {
    expect(findings(wildcard, [orders])).toEqual(['breaking IDB101 public.items: the relation was dropped'])
  })

  test('leave alone what is in the catalogue for the sake of another stakeholder', () => {
    const { claims, catalog } = claimed([wildcard], catalogOf([orders]))
    const catalogForTwo = { relations: [...catalog.relations, items], access: [...catalog.access, ...catalogOf([items], ['other']).access] }
    expect(judged(claims, catalogForTwo)).toMatchObject({ verdict: 'accept', claims: [], grants: [] })
  })
})

describe('what is not declared ratchets', () => {
  test('better once is what is claimed from then on', () => {
    const { claims, catalog } = claimed([allFields], catalogOf([orders]))
    const better = migrated(catalog, [ordersWith('2 total numeric(12,2) not null', '3 name text')])
    const first = judged(claims, better)
    expect(first.findings).toEqual([])
    const back = judged(updated(claims, first.claims), migrated(better, [orders]))
    expect(back.findings.map((finding) => `${brief(finding)}: ${finding.message}`)).toEqual([
      'breaking IDB204 public.orders.total: the type was narrowed to numeric(10,2)',
      'breaking IDB205 public.orders.total: the column may now be null',
      'breaking IDB203 public.orders.name: the type was changed to character varying(50)',
    ])
  })

  test('what is declared does not', () => {
    const declared = { path: 'public.orders', fields: [{ name: 'total', min_length: 10, is_nullable: true }] }
    const { claims, catalog } = claimed([declared], catalogOf([orders]))
    const better = migrated(catalog, [ordersWith('2 total numeric(12,2) not null')])
    expect(judged(updated(claims, judged(claims, better).claims), migrated(better, [orders])).findings).toEqual([])
  })

  test('a column that comes with "*" is claimed from then on', () => {
    const { claims, catalog } = claimed([allFields], catalogOf([orders]))
    const wider = migrated(catalog, [ordersWith('4 paid boolean')])
    const claimsAfter = updated(claims, judged(claims, wider).claims)
    expect(judged(claimsAfter, migrated(wider, [orders])).findings.map(brief)).toEqual(['breaking IDB201 public.orders.paid'])
  })
})

describe('only what was met can be broken', () => {
  test('a claim that was let go blocks nobody until it is met again', () => {
    const { claims, catalog } = claimed([allFields], catalogOf([orders]))
    // Enforcement was "warn": the verdict is stored, the migration went through.
    const unmet = updated(claims, judged(claims, migrated(catalog, [])).claims)
    const without = migrated(catalog, [{ ...ordersWithout(2), id: 9 }])
    const half = judged(unmet, without)
    expect(half.findings.map(brief)).toEqual(['warning IDB201 public.orders.total'])
    expect(half.verdict).toBe('accept')

    const afterHalf = updated(unmet, half.claims)
    const readable = granted(without, half.grants)
    expect(judged(afterHalf, readable).findings).toEqual([])

    const whole = updated(afterHalf, judged(afterHalf, migrated(readable, [{ ...orders, id: 9 }])).claims)
    expect(judged(whole, readable).findings.map(brief)).toEqual(['breaking IDB201 public.orders.total'])
  })

  test('something optional that comes, and is not as claimed, is a warning', () => {
    const match = { path: 'public.orders', fields: ['id', { name: 'paid', type: 'boolean', optional: true }] }
    expect(findings(match, [ordersWith('4 paid integer')])).toEqual(['warning IDB203 public.orders.paid: the type is integer'])
  })
})

describe('access', () => {
  const paid = { path: 'stock.parts', fields: ['id', { name: 'size', optional: true }] }
  const parts = relation(7, 'stock.parts', ['1 id integer'])

  test('a privilege that was revoked', () => {
    const { claims, catalog } = claimed([allFields], catalogOf([orders]))
    for (const access of catalog.access) access.granted = access.effective = { select: [1, 3] }
    const { findings: found } = judged(claims, catalog)
    expect(found.map((finding) => `${brief(finding)}: ${finding.message}`)).toEqual([
      'breaking IDB401 public.orders.total: the privilege to read it was revoked',
    ])
  })

  test('a privilege that the role has through another is not missing', () => {
    const { claims, catalog } = claimed([allFields], catalogOf([orders]))
    for (const access of catalog.access) access.granted = { select: [1, 3] }
    expect(judged(claims, catalog)).toMatchObject({ findings: [], grants: [{ grant: [{ privilege: 'select', columns: ['total'] }] }] })
  })

  test('usage of the schema that was revoked', () => {
    const { claims, catalog } = claimed([paid], catalogOf([parts]))
    for (const access of catalog.access) access.usage = access.usage_granted = false
    const { findings: found, grants } = judged(claims, catalog)
    expect(found.map((finding) => `${brief(finding)}: ${finding.message}`)).toEqual([
      'breaking IDB402 stock.parts: usage of schema stock was revoked',
    ])
    expect(grants).toEqual([])
  })

  test('usage that was never granted, because there was no column to read, is not lost', () => {
    const match = [{ path: 'stock.parts', fields: [{ name: 'size', optional: true }] }]
    const { claims, catalog } = claimed(match, catalogOf([parts]))
    expect(catalog.access).toMatchObject([{ usage: false }])
    expect(judged(claims, migrated(catalog, [parts])).findings).toEqual([])
    const sized = judged(claims, migrated(catalog, [relation(7, 'stock.parts', ['1 id integer', '2 size integer'])]))
    expect(sized).toMatchObject({ findings: [], grants: [{ grant: [{ privilege: 'select', columns: ['size'] }], usage: true }] })
  })
})

describe('what a column means', () => {
  const mood = relation(1, 'public.orders', [...columns, '4 mood mood'])
  const told = (more: Partial<Column>, of: Relation = mood) => withColumn(of, 'mood', more)
  const labels = (...all: string[]) => told({ labels: all })
  const unique = told({ unique: true })
  const view = relation(
    9,
    'public.orders',
    [...columns, '4 mood mood'].map((text) => text.replace(' not null', '')),
    { kind: 'v' },
  )
  const notUnique = 'IDB301 public.orders.mood: no primary key or unique constraint covers it alone any more'
  const text = relation(1, 'public.orders', [...columns, '4 mood text'])

  test.each<[string, object, Relation, Relation, string[]]>([
    ['no longer unique', {}, unique, mood, [`warning ${notUnique}`]],
    ['no longer unique, as declared', { unique: true }, unique, mood, [`breaking ${notUnique}`]],
    ['no longer unique, as declared, and optional', { unique: true, optional: true }, unique, mood, [`breaking ${notUnique}`]],
    ['of a view, of which nobody knows', {}, unique, view, []],
    ['of a view, and declared', { unique: true }, unique, view, [`breaking ${notUnique}`]],
    ['no longer unique, which it need not be', { unique: false }, unique, mood, []],
    ['unique now', {}, mood, unique, []],
    ['unique as before', { unique: true }, unique, unique, []],
    ['without a label', {}, labels('sad', 'ok'), labels('ok'), ['breaking IDB303 public.orders.mood: mood has no label "sad"']],
    ['a label renamed', {}, labels('sad', 'ok'), labels('blue', 'ok'), ['breaking IDB303 public.orders.mood: mood has no label "sad"']],
    [
      'without two labels',
      {},
      labels('sad', 'ok', 'so'),
      labels('ok'),
      ['breaking IDB303 public.orders.mood: mood has no label "sad", "so"'],
    ],
    ['another label', {}, labels('sad'), labels('sad', 'ok'), []],
    ['labels in another order', {}, labels('sad', 'ok'), labels('ok', 'sad'), []],
    ['without a label that is not needed', { values: ['ok'] }, labels('sad', 'ok'), labels('ok'), []],
    [
      'without a label that is',
      { values: ['sad'] },
      labels('sad', 'ok'),
      labels('ok'),
      ['breaking IDB303 public.orders.mood: mood has no label "sad"'],
    ],
    ['without labels, and none is needed', { values: [] }, labels('sad'), labels(), []],
    ['text, which will do', { type: ['mood', 'text'] }, labels('sad'), text, []],
    [
      'text, which will not have the labels',
      { type: ['mood', 'text'], values: ['sad'] },
      labels('sad'),
      text,
      ['breaking IDB303 public.orders.mood: text is no enum'],
    ],
    [
      'generated in another way',
      {},
      told({ expression: ['1', 'a'] }),
      told({ expression: ['2', 'b'] }),
      ['warning IDB304 public.orders.mood: the expression that generates the column was changed'],
    ],
    ['generated from what was renamed', {}, told({ expression: ['1', 'a'] }), told({ expression: ['1', 'b'] }), []],
    ['generated in the same words', {}, told({ expression: ['1', 'a'] }), told({ expression: ['2', 'a'] }), []],
    [
      'no longer generated',
      {},
      told({ expression: ['1'] }),
      mood,
      ['warning IDB304 public.orders.mood: the column is no longer generated'],
    ],
    ['generated now', {}, mood, told({ expression: ['1'] }), []],
    ['generated, behind a view in its place', {}, told({ expression: ['1'] }), view, []],
    [
      'of another collation',
      {},
      mood,
      told({ collation: ['"C"', '950'] }),
      ['warning IDB304 public.orders.mood: the collation was changed from the default to "C"'],
    ],
    [
      'of the default collation',
      {},
      told({ collation: ['"C"', '950'] }),
      mood,
      ['warning IDB304 public.orders.mood: the collation was changed from "C" to the default'],
    ],
    ['of the same collation', {}, told({ collation: ['"C"', '950'] }), told({ collation: ['"C"', '950'] }), []],
  ])('%s', (_, field, before, after, lines) => {
    expect(findings({ path: 'public.orders', fields: [{ name: 'mood', ...field }] }, [after], [before])).toEqual(lines)
  })

  test('unique once is unique from then on, and that it no longer is is told once', () => {
    const { claims, catalog } = claimed([allFields], catalogOf([mood]))
    const after = migrated(catalog, [unique])
    const better = updated(claims, judged(claims, after).claims)
    const back = judged(better, migrated(after, [mood]))
    expect(back.findings.map(brief)).toEqual(['warning IDB301 public.orders.mood'])
    expect(judged(updated(better, back.claims), migrated(after, [mood]))).toMatchObject({ findings: [], claims: [], grants: [] })
  })

  test.each<[string, object, Relation, Relation]>([
    ['unique', { unique: true }, unique, mood],
    ['labels', {}, labels('sad'), labels()],
    ['values', { values: ['sad'] }, labels('sad'), labels()],
  ])('what was let through blocks nobody: %s', (_, field, before, after) => {
    const { claims, catalog } = claimed([{ path: 'public.orders', fields: [{ name: 'mood', ...field }] }], catalogOf([before]))
    const without = migrated(catalog, [after])
    const unmet = updated(claims, judged(claims, without).claims)
    expect(judged(unmet, without)).toMatchObject({ verdict: 'accept', findings: [], claims: [], grants: [] })
    const met = updated(unmet, judged(unmet, catalog).claims)
    expect(judged(met, without).verdict).toBe('reject')
  })
})

describe('views', () => {
  const view = (definition: string[], more: Partial<Relation> = {}) =>
    relation(5, 'public.open', ['1 id integer'], { kind: 'v', definition, ...more })
  const changed = "warning IDB304 public.open: the view's query was changed"
  const open = { path: 'public.open', fields: ['id'] }

  test.each<[string, object, string[], string[]]>([
    ['the same', {}, ['1', 'a'], []],
    ['what is behind it renamed', {}, ['1', 'b'], []],
    ['made anew in the same words', {}, ['2', 'a'], []],
    ['another query', {}, ['2', 'b'], [changed]],
    ['another query, of which nothing is used', { fields: [] }, ['2', 'b'], []],
    ['another query, optional', { optional: true }, ['2', 'b'], [changed]],
  ])('%s', (_, more, definition, lines) => {
    expect(findings({ ...open, ...more }, [view(definition)], [view(['1', 'a'])])).toEqual(lines)
  })

  test('the change is told once', () => {
    const { claims, catalog } = claimed([open], catalogOf([view(['1', 'a'])]))
    const after = migrated(catalog, [view(['2', 'b'])])
    expect(judged(updated(claims, judged(claims, after).claims), after)).toMatchObject({ findings: [], claims: [] })
  })

  test('what it is remembered as does not change while it is the same: a rename may not have been looked at', () => {
    const { claims, catalog } = claimed([open], catalogOf([view(['1', 'a'])]))
    expect(judged(claims, migrated(catalog, [view(['1', 'b'])]))).toMatchObject({ findings: [], claims: [] })
  })

  test('a materialized view without data', () => {
    const full = view(['1'], { kind: 'm' })
    const empty = view(['1'], { kind: 'm', unpopulated: true })
    const line = 'breaking IDB104 public.open: it holds no data (WITH NO DATA) and cannot be read'
    expect(findings(open, [empty], [full])).toEqual([line])
    expect(findings({ ...open, optional: true }, [empty], [full])).toEqual([line])

    const { claims, catalog } = claimed([open], catalogOf([full]))
    const unmet = updated(claims, judged(claims, migrated(catalog, [empty])).claims)
    expect(judged(unmet, migrated(catalog, [empty]))).toMatchObject({ verdict: 'accept', findings: [], claims: [], grants: [] })
    expect(updated(unmet, judged(unmet, catalog).claims)).toMatchObject([{ status: 'met' }])
  })

  test('a view over a materialized view without data', () => {
    const full = view(['1', 'a'])
    const empty = view(['1', 'a'], { unpopulated: true })
    expect(findings(open, [empty], [full])).toEqual([
      'breaking IDB104 public.open: a materialized view behind it holds no data (WITH NO DATA) and cannot be read',
    ])
    expect(findings({ path: 'public.*', fields: '*' }, [full], [empty])).toEqual([])
  })

  test('a materialized view that a wildcard found without data', () => {
    const wildcard = { path: 'public.*', fields: '*' }
    const [full, empty] = [view(['1'], { kind: 'm' }), view(['1'], { kind: 'm', unpopulated: true })]
    const line = 'breaking IDB104 public.open: it holds no data (WITH NO DATA) and cannot be read'
    expect(findings(wildcard, [empty], [empty])).toEqual([])
    expect(findings(wildcard, [orders, empty], [orders])).toEqual([])
    expect(findings(wildcard, [full], [empty])).toEqual([])
    expect(findings(wildcard, [empty], [full])).toEqual([line])

    // Once it has been filled it is claimed to be.
    const { claims, catalog } = claimed([wildcard], catalogOf([empty]))
    const filled = migrated(catalog, [full])
    expect(judged(updated(claims, judged(claims, filled).claims), catalog).findings.map(brief)).toEqual(['breaking IDB104 public.open'])
  })

  test('what is behind it is remembered: for whoever writes, what that calls too', () => {
    const behind = { ...writable(5, 'public.open', ['1 id integer'], { behind: [8] }, { kind: 'v' }), behind: [7] }
    const behindOf = (access: string[]) => claimed([{ ...open, access }], catalogOf([behind])).claims.flatMap((claim) => claim.behind)
    expect(behindOf(['select'])).toEqual([7])
    expect(behindOf(['select', 'update'])).toEqual([7, 8])
  })
})

describe('row level security', () => {
  const own = rowFilter('public.orders', ['own'])
  const two = rowFilter('public.orders', ['own', 'team'])
  const strict = rowFilter('public.orders', ['own'], ['strict'])
  const behind = rowFilter('public.behind', ['own'])
  const line = (severity: string, what: string, path = 'public.orders') =>
    `${severity} IDB403 public.orders: row level security of ${path} ${what}`
  const hides = line('breaking', 'now hides rows')
  const may = line('breaking', 'may hide more rows than before: a policy was changed, dropped or made restrictive')
  const shows = line('warning', 'may show more rows than before')
  const gone = line('warning', 'no longer hides rows')

  /** What whoever claims to read hears of filters that were those, and are these. */
  function heard(before: RowFilter[], after: RowFilter[], fields: unknown = '*'): string[] {
    const of = (select: RowFilter[]) => (select.length === 0 ? {} : { rows: { select } })
    const { claims, catalog } = claimed([{ path: 'public.orders', fields }], withAccess(catalogOf([orders]), 1, of(before)))
    const { rows: _, ...access } = catalog.access[0] ?? {}
    const filtered = { ...catalog, access: [{ ...access, ...of(after) }] } as typeof catalog
    const { verdict, findings: found, claims: changed } = judged(claims, filtered)
    expect(verdict).toBe(found.some(({ severity }) => severity === 'breaking') ? 'reject' : 'accept')
    // Whether it went through or was let through: it is told once.
    expect(judged(updated(claims, changed), filtered)).toMatchObject({ verdict: 'accept', findings: [], claims: [], grants: [] })
    return found.map((finding) => `${brief(finding)}: ${finding.message}`)
  }

  test.each<[string, RowFilter[], RowFilter[], string[]]>([
    ['none', [], [], []],
    ['enabled, without a policy', [], [rowFilter('public.orders', [])], [hides]],
    ['enabled', [], [own], [hides]],
    ['as before', [own], [own], []],
    ['a permissive policy comes', [own], [two], [shows]],
    ['a permissive policy goes', [two], [own], [may]],
    ['a permissive policy is changed', [own], [rowFilter('public.orders', ['team'])], [may]],
    ['a restrictive policy comes', [own], [strict], [may]],
    ['a restrictive policy is changed', [strict], [rowFilter('public.orders', ['own'], ['lax'])], [may]],
    ['a restrictive policy goes', [strict], [own], [shows]],
    ['a permissive one comes for one that goes', [own, behind], [rowFilter('public.orders', ['team']), behind], [may]],
    ['disabled', [own], [], [gone]],
    ['behind a view', [], [behind], [line('breaking', 'now hides rows', 'public.behind')]],
    ['of one more behind a view', [own], [own, behind], [line('breaking', 'now hides rows', 'public.behind')]],
    ['of another behind a view', [own], [behind], [line('breaking', 'now hides rows', 'public.behind')]],
    [
      'what is behind renamed, a policy made anew in the same words',
      [{ marks: ['1', 'public.x'], path: 'public.x', permissive: [['2', 'own']], restrictive: [['3', 'strict']] }],
      [{ marks: ['1', 'public.y'], path: 'public.y', permissive: [['4', 'own']], restrictive: [['3', '?']] }],
      [],
    ],
  ])('%s', (_, before, after, lines) => {
    expect(heard(before, after)).toEqual(lines)
    expect(heard(before, after, [])).toEqual([]) // nothing is read
  })

  test('counts for what the claim does', () => {
    const match = { path: 'public.orders', fields: '*' }
    const table = writable(1, 'public.orders', columns)
    const expected = (access: string[], rows: object) => {
      const { claims, catalog } = claimed([{ ...match, access }], catalogOf([table]))
      return judged(claims, withAccess(catalog, 1, { rows })).findings.map((finding) => finding.expected)
    }
    expect(expected(['select'], { insert: [own], update: [own], delete: [own] })).toEqual([])
    expect(expected(['insert'], { select: [own], insert: [own] })).toEqual(['insert'])
    expect(expected(['select', 'update', 'delete'], { select: [own], update: [own], delete: [own] })).toEqual([
      'select',
      'update',
      'delete',
    ])
  })

  test('an optional relation that comes is taken as it comes', () => {
    const { claims, catalog } = claimed([{ ...allFields, optional: true }], catalogOf([]))
    const come = judged(claims, withAccess(migrated(catalog, [orders]), 1, { rows: { select: [own] } }))
    expect(come.findings).toEqual([])
    expect(come.claims).toMatchObject([{ status: 'met', observed: { rows: { select: [own] } } }])
  })
})
