/** Does a column of this type serve who reads that one? By the README alone. */
import type { Column } from './catalog.ts'

export function serves(was: Column, is: Column): boolean {
  if (was.type === is.type) return true
  const varchar = /^character varying(?:\((\d+)\))?$/
  const before = varchar.exec(was.type)
  if (before !== null) {
    if (is.type === 'text') return true
    const now = varchar.exec(is.type)
    if (now === null) return false
    return now[1] === undefined || (before[1] !== undefined && Number(now[1]) >= Number(before[1]))
  }
  const numeric = /^numeric\((\d+),(\d+)\)$/
  const [from, to] = [numeric.exec(was.type), numeric.exec(is.type)]
  return from !== null && to !== null && from[2] === to[2] && Number(to[1]) >= Number(from[1])
}
