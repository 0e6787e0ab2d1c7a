// Does every error have its place in the one table of codes, and does a person find in it what to do?

import { readdirSync, readFileSync } from 'node:fs'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errors, findings } from '../../src/core/index.ts'
import { TestDatabase } from '../support/database.ts'

function codesIn(folder: string, pattern: RegExp): string[] {
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /[.](sql|plpgsql|ts)$/.test(path) && !/(^|\/)(errors|hint)[.]ts$/.test(path))
    .map((path) => readFileSync(`${folder}/${path}`, 'utf8'))
  return [...new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, code = '']) => code)))].sort()
}

test('every SQLSTATE of ours that is raised is in the table', () => {
  const raised = codesIn('src/sql', /errcode = '(IDB\w+)'/g).filter((code) => code !== 'IDB00') // check_migration's own way back
  expect(raised.filter((code) => !(code in errors))).toEqual([])
})

test('every SQLSTATE of the table is raised', () => {
  const raised = new Set([...codesIn('src/sql', /errcode = '(\w+)'/g), ...codesIn('src/core', /'(IDB\d\d)'/g)])
  expect(Object.keys(errors).filter((code) => !raised.has(code))).toEqual([])
})

test('every code of a finding is in the table, and the other way round', () => {
  const found = new Set([...codesIn('src/core', /'(IDB\d\d\d)'/g), ...codesIn('src/sql', /'(IDB\d\d\d)'/g)])
  expect([...found].sort()).toEqual(Object.keys(findings).sort())
})

test('every error that is raised says what happened, and has a way out', () => {
  const raises = readdirSync('src/sql', { recursive: true, encoding: 'utf8' })
    .filter((path) => /[.](sql|plpgsql)$/.test(path))
    .flatMap((path) => readFileSync(`src/sql/${path}`, 'utf8').match(/raise exception using[\s\S]*?;\n/g) ?? [])
    .filter((raise) => !raise.includes("'IDB00'"))
  const incomplete = raises.filter((raise) => !['errcode', 'message', 'hint'].every((part) => new RegExp(`\\b${part} = `).test(raise)))
  expect(incomplete).toEqual([])
  expect(raises.length).toBeGreaterThan(10)
})

describe('each one, as a user meets it', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.create()
    await database.rows(`
      create table public.orders (id integer primary key, total numeric);
      select integratedb.add_stakeholder('errors_reporter');
      select integratedb.set_claims('errors_reporter', '{"match": [{"path": "public.orders", "fields": "*"}]}')`)
  })
  afterAll(async () => {
    await database.drop()
  })

  function expectHelp(error: pg.DatabaseError): void {
    expect(error.message).not.toBe('')
    expect(error.detail).toBeTruthy()
    expect(error.hint).toBeTruthy()
  }

  test.each([
    ['IDB01', 'alter table public.orders drop column total'],
    ['IDB02', `select integratedb.set_claims('errors_reporter', '{"match": []}')`],
    ['IDB03', `select integratedb.set_claims('errors_reporter', '{"match": [{"path": "public.none"}]}')`],
    ['IDB04', `select integratedb.get_claims('nobody')`],
    ['IDB05', `select integratedb.add_stakeholder('errors_reporter')`],
    ['IDB08', `select integratedb.set_enforcement('sometimes')`],
    ['IDB08', 'select integratedb.unmet_claims(0)'],
  ])('%s: %s', async (code, sql) => {
    const error = await database.failure(sql)
    expect(error.code).toBe(code)
    expectHelp(error)
  })

  test('IDB06: a role that is used outside this database cannot be dropped', async () => {
    const other = await TestDatabase.create()
    try {
      await other.rows('create table public.theirs (); grant select on public.theirs to errors_reporter')
      const error = await database.failure(`select integratedb.remove_stakeholder('errors_reporter')`)
      expect(error.code).toBe('IDB06')
      expectHelp(error)
    } finally {
      await other.drop()
    }
  })

  test('IDB07: the engine is gone', async () => {
    const error = await database.failure(`
      begin;
      drop function integratedb._core(text, text);
      select * from integratedb.unmet_claims()`)
    await database.rows('rollback')
    expect(error.code).toBe('IDB07')
    expectHelp(error)
  })
})
