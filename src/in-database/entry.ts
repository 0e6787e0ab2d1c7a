/** What the bundle leaves on `globalThis` for `integratedb._core`: the core's one function. */
export { operate } from '../core/index.ts'
