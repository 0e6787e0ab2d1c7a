// What a migration may do to whoever writes. `public.goods` has a number that fills itself, a name that may be null, a
// price that has to be given, and two columns that nobody claims.

import { describe, expect, test } from 'vitest'
import type { Access, Catalog, Hurdle, Privilege, Relation, Writes } from '../../../src/core/catalog/catalog.ts'
import { brief, catalogOf, claimed, granted, judged, migrated, updated, withAccess, withColumn, writable } from '../fixture.ts'

const columns = [
  '1 id integer not null default',
  '2 name text',
  '3 price numeric(10,2) not null',
  '4 note text',
  '5 code text not null default',
]
const sequence = { id: 900, schema: 'public', name: 'goods_id_seq', grantable: true }

function goodsOf(changed: string[], writes: Partial<Writes> = {}): Relation {
  const number = (text: string) => text.split(' ')[0]
  const kept = columns.filter((each) => !changed.some((other) => number(other) === number(each)))
  return writable(3, 'public.goods', [...kept, ...changed], { sequences: [sequence], ...writes })
}

function goods(...changed: string[]): Relation {
  return goodsOf(changed)
}

const writer = { path: 'public.goods', access: ['select', 'insert', 'update', 'delete'], fields: ['id', 'name', 'price'] }

type Change = Relation | ((catalog: Catalog) => Catalog)

function changed(catalog: Catalog, change: Change): Catalog {
  return typeof change === 'function' ? change(catalog) : migrated(catalog, [change])
}

/** What this claim, made on `before`, says of `after`. */
function findings(match: object, after: Change, before: Relation = goods()): string[] {
  const { claims, catalog } = claimed([match], catalogOf([before]))
  const { verdict, findings: found } = judged(claims, changed(catalog, after))
  expect(verdict).toBe(found.some(({ severity }) => severity === 'breaking') ? 'reject' : 'accept')
  return found.map((finding) => `${brief(finding)}: ${finding.message}`)
}

const required = 'an insert has to fill the column, and the claim does not'
const sku = `breaking IDB211 public.goods.sku: ${required}`
const nullable = 'the column no longer accepts null'
const view = { insert: false, update: false, delete: false }

describe('columns', () => {
  test.each<[string, object, Relation, string[]]>([
    ['required, and new', {}, goods('6 sku text not null'), [sku]],
    ['new, with a default', {}, goods('6 sku text not null default'), []],
    ['new, and may be null', {}, goods('6 sku text'), []],
    ['new, and generated', {}, goods('6 sku text not null generated'), []],
    ['new, and an identity', {}, goods('6 sku integer not null identity'), []],
    ['new, and always an identity', {}, goods('6 sku integer not null always'), []],
    ['required, for whoever does not insert', { access: ['select', 'update', 'delete'] }, goods('6 sku text not null'), []],
    ['required, of "*", which does not know it yet', { fields: '*' }, goods('6 sku text not null'), [sku]],
    [
      'required, and claimed before it was there',
      { fields: ['name', 'price', { name: 'sku', optional: true }] },
      goods('6 sku text not null'),
      [],
    ],
    ['required, and one of alternatives', { fields: ['price', { alternatives: ['sku', 'name'] }] }, goods('6 sku text not null'), []],
    ['unclaimed, and required now', {}, goods('4 note text not null'), [`breaking IDB211 public.goods.note: ${required}`]],
    ['unclaimed, and without its default', {}, goods('5 code text not null'), [`breaking IDB211 public.goods.code: ${required}`]],
    ['unclaimed, and read-only now', {}, goods('5 code text not null generated'), []],
    ['required, behind a view', {}, goodsOf([], { hidden: ['sku'] }), [sku]],
    [
      'required, behind a view that cannot be inserted into',
      { access: ['select', 'update'] },
      goodsOf([], { hidden: ['sku'], insert: false }),
      [],
    ],

    ['not null now', {}, goods('2 name text not null'), [`breaking IDB212 public.goods.name: ${nullable}`]],
    [
      'not null now, for whoever inserts',
      { access: ['insert'] },
      goods('2 name text not null'),
      [`breaking IDB212 public.goods.name: ${nullable}`],
    ],
    [
      'not null now, for whoever updates',
      { access: ['update'] },
      goods('2 name text not null'),
      [`breaking IDB212 public.goods.name: ${nullable}`],
    ],
    ['not null now, for whoever deletes', { access: ['select', 'delete'] }, goods('2 name text not null'), []],
    ['not null now, for whoever reads', { access: ['select'] }, goods('2 name text not null'), []],
    [
      'not null now, and said to be nullable',
      { fields: [{ name: 'name', is_nullable: true }, 'price'] },
      goods('2 name text not null'),
      [`warning IDB212 public.goods.name: ${nullable}`],
    ],
    [
      'nullable now, for whoever reads it',
      {},
      goods('3 price numeric(10,2)'),
      ['breaking IDB205 public.goods.price: the column may now be null'],
    ],
    ['nullable now, for whoever only writes it', { access: ['insert', 'update'] }, goods('3 price numeric(10,2)'), []],

    [
      'generated now',
      {},
      goods('2 name text generated'),
      ['inserted into', 'updated'].map((verb) => `breaking IDB213 public.goods.name: the column can no longer be ${verb}`),
    ],
    [
      'generated now, for whoever inserts',
      { access: ['insert'] },
      goods('2 name text generated'),
      ['breaking IDB213 public.goods.name: the column can no longer be inserted into'],
    ],
    [
      'always an identity now',
      { access: ['update'] },
      goods('1 id integer not null always'),
      ['breaking IDB213 public.goods.id: the column can no longer be updated'],
    ],
    ['generated now, for whoever deletes', { access: ['select', 'delete'] }, goods('2 name text generated'), []],
    [
      'generated now, and optional',
      { access: ['insert'], fields: ['price', { name: 'name', optional: true }] },
      goods('2 name text generated'),
      ['breaking IDB213 public.goods.name: the column can no longer be inserted into'],
    ],
    [
      'generated now, and one of alternatives',
      { access: ['insert'], fields: ['price', { alternatives: ['name', 'note'] }] },
      goods('2 name text generated'),
      ['info IDB213 public.goods.name: the column can no longer be inserted into'],
    ],

    [
      'without its default',
      {},
      goods('1 id integer not null'),
      ['breaking IDB214 public.goods.id: the column no longer fills itself: an insert that leaves it out now fails'],
    ],
    ['without its default, for whoever updates', { access: ['select', 'update'] }, goods('1 id integer not null'), []],
    ['filled in another way', {}, goods('1 id integer not null identity'), []],
    ['with a default now', {}, goods('2 name text default'), []],
  ])('%s', (_, more, after, lines) => {
    expect(findings({ ...writer, ...more }, after)).toEqual(lines)
  })

  test('without its default, and null will do: a warning', () => {
    const message = 'the column no longer fills itself: an insert that leaves it out now writes null'
    const match = { ...writer, fields: ['price', 'stock'] }
    expect(findings(match, goods('6 stock integer'), goods('6 stock integer default'))).toEqual([
      `warning IDB214 public.goods.stock: ${message}`,
    ])
    expect(findings(match, goods('6 stock integer'), goods('6 stock integer generated'))).toEqual([
      `warning IDB214 public.goods.stock: ${message}`,
    ])
  })

  test('"*" is told once of a column that it does not fill, and knows it from the next declaration on only', () => {
    const { claims, catalog } = claimed([{ ...writer, fields: '*' }], catalogOf([goods()]))
    const wider = migrated(catalog, [goods('6 sku text not null')])
    const first = judged(claims, wider)
    expect(first.findings.map(brief)).toEqual(['breaking IDB211 public.goods.sku'])

    // Enforcement was "warn". The application knows no more than before.
    const unmet = updated(claims, first.claims)
    const again = judged(unmet, granted(wider, first.grants))
    expect(again.findings).toEqual([])
    expect(updated(unmet, again.claims).map(({ status }) => status)).toEqual(['unmet'])
  })
})

describe('the relation', () => {
  const lost = (verb: string) => `breaking IDB213 public.goods: it can no longer be ${verb}`

  test('a view that can no longer be written', () => {
    expect(findings({ ...writer, access: ['select', 'delete'] }, goodsOf([], view))).toEqual([lost('deleted from')])
    expect(findings(writer, goodsOf([], view))).toEqual([lost('inserted into'), lost('updated'), lost('deleted from')])
    expect(findings({ ...writer, access: ['select'] }, goodsOf([], view))).toEqual([])
  })

  test('the last partition goes: a warning to whoever inserts', () => {
    const empty = goodsOf([], { without_partition: true })
    expect(findings(writer, empty)).toEqual(['warning IDB213 public.goods: it has no partition to insert into'])
    expect(findings({ ...writer, access: ['select', 'update', 'delete'] }, empty)).toEqual([])
  })

  test('that it has no partition yet is not told with every migration', () => {
    const without = (...more: string[]) => goodsOf(more, { without_partition: true })
    expect(findings(writer, without('6 sku text'), without())).toEqual([])
  })

  test('an optional relation that comes, and cannot be written: a warning', () => {
    const { claims, catalog } = claimed([{ ...writer, optional: true }], catalogOf([]))
    const come = judged(claims, migrated(catalog, [goodsOf([], view)]))
    expect(come.findings.map((finding) => `${brief(finding)}: ${finding.message}`)).toEqual(
      ['inserted into', 'updated', 'deleted from'].map((verb) => `warning IDB213 public.goods: it cannot be ${verb}`),
    )
  })

  test('what a migration told of an optional relation that came is not told again by the next', () => {
    const match = { ...writer, access: ['insert'], fields: ['id', 'later'], optional: true }
    const { claims, catalog } = claimed([match], catalogOf([]))
    const come = migrated(catalog, [goodsOf([], view)])
    const first = judged(claims, come)
    expect(first.findings.map(brief)).toEqual(['warning IDB213 public.goods', 'warning IDB201 public.goods.later'])
    expect(judged(updated(claims, first.claims), granted(come, first.grants))).toMatchObject({ findings: [], claims: [], grants: [] })
  })

  test('a wildcard takes in what cannot be written', () => {
    const match = { path: 'public.*', fields: '*', access: ['select', 'insert', 'update', 'delete'] }
    const { claims, catalog } = claimed([match], catalogOf([goods()]))
    const open = writable(4, 'public.open', ['1 id integer'], view, { kind: 'v' })
    expect(judged(claims, migrated(catalog, [goods(), open])).findings).toEqual([])
  })

  test('alternatives stand in for each other', () => {
    const other = { ...goods(), id: 4, name: 'wares' }
    const { path: _, fields, ...shared } = writer
    const match = { ...shared, alternatives: ['public.goods', 'public.wares'].map((path) => ({ path, fields })) }
    const { claims, catalog } = claimed([match], catalogOf([goods(), other]))
    const wider = goods('6 sku text not null')
    const one = judged(claims, migrated(catalog, [wider, other]))
    expect(one).toMatchObject({ verdict: 'accept' })
    expect(one.findings.map(brief)).toEqual(['info IDB211 public.goods.sku'])
    const both = judged(claims, migrated(catalog, [wider, { ...wider, id: 4, name: 'wares' }]))
    expect(both).toMatchObject({ verdict: 'reject' })
    expect(both.findings.map(brief)).toEqual(['breaking IDB211 public.goods.sku', 'breaking IDB211 public.wares.sku'])
  })
})

describe('what is put in the way of a writer', () => {
  const hurdle = (name: string, events: string, more: Partial<Hurdle> = {}): Hurdle => ({
    name,
    marks: [`oid of ${name}`, `words of ${name}`],
    events,
    ...more,
  })
  const check = (...nums: number[]) => hurdle('the check constraint price_is_right', 'iu', { columns: nums })
  const trigger = (events: string) => hurdle('the trigger audit', events)
  const constraints = (...all: Hurdle[]) => goodsOf([], { constraints: all })
  const triggers = (...all: Hurdle[]) => goodsOf([], { triggers: all })
  const refuse = 'the check constraint price_is_right was added: it can refuse what is written'
  const audit = 'warning IDB302 public.goods: the trigger audit was added: it can refuse or change what is written'

  test.each<[string, object, Relation, Relation, string[]]>([
    ['a constraint', {}, goods(), constraints(check(3)), [`warning IDB302 public.goods.price: ${refuse}`]],
    ['a constraint on several columns', {}, goods(), constraints(check(2, 3)), [`warning IDB302 public.goods: ${refuse}`]],
    ['a constraint, one of its columns claimed', {}, goods(), constraints(check(3, 4)), [`warning IDB302 public.goods.price: ${refuse}`]],
    ['a constraint on what nobody claims', {}, goods(), constraints(check(4)), []],
    ['a constraint, for "*"', { fields: '*' }, goods(), constraints(check(4)), [`warning IDB302 public.goods.note: ${refuse}`]],
    [
      'a constraint, for whoever inserts',
      { access: ['insert'] },
      goods(),
      constraints(check(3)),
      [`warning IDB302 public.goods.price: ${refuse}`],
    ],
    ['a constraint, for whoever reads and deletes', { access: ['select', 'delete'] }, goods(), constraints(check(3)), []],
    ['a constraint, for whoever reads', { access: ['select'] }, goods(), constraints(check(3)), []],
    [
      'a constraint that refuses rows that are there',
      {},
      goods(),
      constraints({ ...check(3), is_broken: true }),
      ['breaking IDB302 public.goods.price: the check constraint price_is_right was added, and there are rows that it refuses'],
    ],
    [
      'a constraint that refuses rows that are there, and was there',
      {},
      constraints(check(3)),
      constraints({ ...check(3), is_broken: true }),
      [],
    ],
    [
      "another table's foreign key",
      { access: ['select', 'delete'] },
      goods(),
      constraints(hurdle('the foreign key f of public.items', 'ud', { columns: [1] })),
      ['warning IDB302 public.goods.id: the foreign key f of public.items was added: it can refuse what is written'],
    ],
    [
      "another table's foreign key, for whoever inserts",
      { access: ['insert'] },
      goods(),
      constraints(hurdle('f', 'ud', { columns: [1] })),
      [],
    ],
    ['a constraint that was there', {}, constraints(check(3)), constraints(check(3)), []],
    [
      'a constraint whose column was renamed',
      {},
      constraints(check(3)),
      constraints({ ...check(3), marks: ['oid of the check constraint price_is_right', '?'] }),
      [],
    ],
    [
      'a constraint that was made anew',
      {},
      constraints(check(3)),
      constraints({ ...check(3), marks: ['?', 'words of the check constraint price_is_right'] }),
      [],
    ],
    [
      'a constraint that was changed',
      {},
      constraints(check(3)),
      constraints({ ...check(3), marks: ['?', '!'] }),
      [`warning IDB302 public.goods.price: ${refuse}`],
    ],
    ['a constraint that goes', {}, constraints(check(3)), goods(), []],
    ['a trigger', {}, goods(), triggers(trigger('u')), [audit]],
    ['a trigger, for whoever does something else', { access: ['select', 'insert'] }, goods(), triggers(trigger('ud')), []],
    ['a trigger, for whoever deletes', { access: ['delete'] }, goods(), triggers(trigger('ud')), [audit]],
    ['a trigger that was there', {}, triggers(trigger('iud')), triggers(trigger('iud')), []],
  ])('%s', (_, more, before, after, lines) => {
    expect(findings({ ...writer, ...more }, after, before)).toEqual(lines)
  })

  test('is told once', () => {
    const { claims, catalog } = claimed([writer], catalogOf([goods()]))
    const after = migrated(catalog, [constraints(check(3))])
    const first = judged(claims, after)
    expect(judged(updated(claims, first.claims), after)).toMatchObject({ findings: [], claims: [] })
  })

  test('what is not as it was is told when nothing of the column is broken any more, and once', () => {
    const inC = (...changed: string[]) => withColumn(goods(...changed), 'name', { collation: ['"C"', '950'] })
    const { claims, catalog } = claimed([writer], catalogOf([goods()]))
    const broken = migrated(catalog, [inC('2 name integer')])
    const first = judged(claims, broken)
    expect(first.findings.map(brief)).toEqual(['breaking IDB203 public.goods.name'])
    // Enforcement was "warn".
    const unmet = updated(claims, first.claims)
    expect(judged(unmet, broken)).toMatchObject({ verdict: 'accept', findings: [], claims: [] })

    const back = migrated(broken, [inC()])
    const second = judged(unmet, back)
    expect(second.findings.map(brief)).toEqual(['warning IDB304 public.goods.name'])
    expect(judged(updated(unmet, second.claims), back)).toMatchObject({ verdict: 'accept', findings: [], claims: [] })
  })

  test('nor of the relation', () => {
    const { claims, catalog } = claimed([writer], catalogOf([goods()]))
    const broken = migrated(catalog, [goodsOf(['6 sku text not null'], { constraints: [check(3)] })])
    const first = judged(claims, broken)
    expect(first.findings.map(brief)).toEqual(['breaking IDB211 public.goods.sku'])
    const unmet = updated(claims, first.claims)
    const second = judged(unmet, migrated(broken, [constraints(check(3))]))
    expect(second.findings.map(brief)).toEqual(['warning IDB302 public.goods.price'])
    expect(second.claims).toMatchObject([{ status: 'met' }])
  })
})

/** Everything that the claim was granted, but for what `more` says. */
function withPrivileges(more: Access['effective'], sequenceToo = true): (catalog: Catalog) => Catalog {
  return (catalog) => {
    const [access] = catalog.access
    const held = Object.fromEntries(Object.entries({ ...access?.granted, ...more }).filter(([, value]) => value !== false))
    const sequences = [{ id: sequence.id, granted: sequenceToo, effective: sequenceToo }]
    return withAccess(catalog, 3, { granted: held, effective: held, sequences })
  }
}

function withObstacle(
  code: 'IDB401' | 'IDB404',
  expected: Privilege | 'execute',
  of_access: Privilege | 'execute' = expected,
): (catalog: Catalog) => Catalog {
  return (catalog) => withAccess(catalog, 3, { obstacles: [{ code, expected, of_access, message: 'it may not' }] })
}

describe('privileges', () => {
  const of = (column: string, privilege: string) => `breaking IDB401 public.goods.${column}: the privilege to ${privilege} it was revoked`
  const usage = 'breaking IDB401 public.goods: the privilege to use the sequence public.goods_id_seq was revoked'

  test.each<[string, object, (catalog: Catalog) => Catalog, string[]]>([
    ['to read a column', {}, withPrivileges({ select: [1, 3] }), [of('name', 'read')]],
    ['to insert into a column', {}, withPrivileges({ insert: [1, 3] }), [of('name', 'insert')]],
    ['to update columns', {}, withPrivileges({ update: [1] }), [of('name', 'update'), of('price', 'update')]],
    ['to delete', {}, withPrivileges({ delete: false }), ['breaking IDB401 public.goods: the privilege to delete was revoked']],
    [
      'to insert into what has to be filled, whichever of the alternatives is used',
      { fields: ['name', { alternatives: ['price', 'note'] }] },
      withPrivileges({ insert: [2, 4] }),
      [`breaking IDB211 public.goods.price: ${required}`, of('price', 'insert').replace('breaking', 'info')],
    ],
    [
      'from the owner itself, which the stakeholder is now',
      { fields: ['name', 'price'] },
      (catalog) => withAccess(catalog, 3, { owner: true, granted: {}, effective: {} }),
      [
        'breaking IDB401 public.goods: the privilege to delete was revoked',
        ...['name', 'price'].flatMap((column) =>
          ['read', 'insert', 'update'].map((privilege) => `${of(column, privilege)} from the owner itself`),
        ),
      ],
    ],
    ['to use a sequence', {}, withPrivileges({}, false), [usage]],
    ['to use a sequence, for whoever updates', { access: ['select', 'update'] }, withPrivileges({}, false), []],
    ['to call what a default calls', {}, withObstacle('IDB401', 'execute', 'insert'), ['breaking IDB401 public.goods: it may not']],
    ['to call what a default calls, for whoever reads', { access: ['select'] }, withObstacle('IDB401', 'execute', 'insert'), []],
    [
      'to call what the view calls',
      { access: ['select'] },
      withObstacle('IDB404', 'execute'),
      ['breaking IDB404 public.goods: it may not'],
    ],
    ['of the owner of the view, to read', {}, withObstacle('IDB404', 'select'), ['breaking IDB404 public.goods: it may not']],
    ['of the owner of the view, to insert', {}, withObstacle('IDB404', 'insert'), ['breaking IDB404 public.goods: it may not']],
    ['of the owner of the view, to insert, for whoever reads', { access: ['select'] }, withObstacle('IDB404', 'insert'), []],
  ])('%s', (_, more, revoke, lines) => {
    expect(findings({ ...writer, ...more }, revoke)).toEqual(lines)
    const { claims, catalog } = claimed([{ ...writer, ...more }], catalogOf([goods()]))
    expect(judged(claims, revoke(catalog)).grants).toEqual([])
  })

  test('what the role has through another is not missing', () => {
    const { claims, catalog } = claimed([writer], catalogOf([goods()]))
    const sequences = [{ id: sequence.id, granted: false, effective: true }]
    const { findings: found, grants } = judged(claims, withAccess(catalog, 3, { granted: {}, sequences }))
    expect(found).toEqual([])
    expect(grants).toMatchObject([
      { object: 'table', grant: [{ privilege: 'select' }, { privilege: 'insert' }, { privilege: 'update' }, { privilege: 'delete' }] },
      { object: 'sequence', name: 'goods_id_seq' },
    ])
  })

  test('what was never granted, because there was no column to use, is not lost', () => {
    const match = { ...writer, fields: [{ name: 'sku', optional: true }] }
    const bare = writable(3, 'public.goods', ['1 id integer not null default'], { sequences: [sequence] })
    const { claims, catalog } = claimed([match], catalogOf([bare]))
    expect(catalog.access).toMatchObject([{ granted: {}, usage: false, sequences: [{ granted: false }] }])
    const wider = writable(3, 'public.goods', ['1 id integer not null default', '2 sku text'], { sequences: [sequence] })
    const come = judged(claims, migrated(catalog, [wider]))
    expect(come.findings).toEqual([])
    expect(granted(migrated(catalog, [wider]), come.grants).access).toMatchObject([
      { granted: { select: [2], insert: [2], update: [2], delete: true }, usage: true, sequences: [{ granted: true }] },
    ])
  })

  test('usage of the schema that was never granted, because nothing could be written, is not lost', () => {
    const open = writable(4, 'public.open', ['1 id integer'], view, { kind: 'v' })
    for (const privilege of ['insert', 'update', 'delete']) {
      const { claims, catalog } = claimed([{ path: 'public.*', fields: '*', access: [privilege] }], catalogOf([open]))
      expect(catalog.access).toMatchObject([{ granted: {}, usage: false }])
      expect(judged(claims, catalog)).toMatchObject({ findings: [], claims: [], grants: [] })
    }
  })

  test('sequences that are granted are remembered, to be taken back one day', () => {
    // It comes with a column that has to be filled: not as claimed, and granted all the same.
    const match = { ...writer, fields: ['id'], access: ['insert'], optional: true }
    const { claims, catalog } = claimed([match], catalogOf([]))
    const { claims: after, grants } = judged(claims, migrated(catalog, [goods()]))
    expect(after).toMatchObject([{ status: 'unmet' }])
    const used = grants.filter(({ object }) => object === 'sequence').map(() => sequence.id)
    expect(after.flatMap(({ sequences }) => sequences)).toEqual(used)
  })
})

describe('what somebody let through', () => {
  const broken = { name: 'the check constraint c', marks: ['c'], events: 'iu', columns: [3], is_broken: true }

  test.each<[string, Change]>([
    ['IDB211', goods('6 sku text not null')],
    ['IDB212', goods('2 name text not null')],
    ['IDB213', goods('2 name text generated')],
    ['IDB213', goodsOf([], view)],
    ['IDB213', goodsOf([], { delete: false })],
    ['IDB214', goods('1 id integer not null')],
    ['IDB302', goodsOf([], { constraints: [broken] })],
    ['IDB401', withPrivileges({ insert: [1, 3] })],
    ['IDB401', withPrivileges({ delete: false })],
    ['IDB401', withPrivileges({}, false)],
    ['IDB401', withObstacle('IDB401', 'execute', 'insert')],
    ['IDB404', withObstacle('IDB404', 'select')],
  ])('%s blocks nobody, and is met again when it is as before', (code, change) => {
    const { claims, catalog } = claimed([writer], catalogOf([goods()]))
    const first = judged(claims, changed(catalog, change))
    expect(first.verdict).toBe('reject')
    expect([...new Set(first.findings.map((finding) => finding.code))]).toEqual([code])

    const unmet = updated(claims, first.claims)
    const after = granted(changed(catalog, change), first.grants)
    const second = judged(unmet, after)
    expect(second).toMatchObject({ verdict: 'accept', findings: [], claims: [], grants: [] })

    // What was revoked is granted back by hand; what else is missing, by the judgement.
    const [whole] = catalog.access
    const isRevoked = code === 'IDB401' || code === 'IDB404'
    const back = isRevoked ? { ...catalog, access: catalog.access.map((each) => ({ ...each, ...whole })) } : migrated(after, [goods()])
    const third = judged(unmet, back)
    expect(third.findings).toEqual([])
    const met = updated(unmet, third.claims)
    expect(met.flatMap(({ status, fields }) => [status, ...fields.map((field) => field.status)])).toEqual(['met', 'met', 'met', 'met'])
    expect(granted(back, third.grants).access).toEqual(catalog.access)

    expect(judged(met, changed(catalog, change)).verdict).toBe('reject')
  })
})
