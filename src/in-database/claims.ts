/** What the bundle leaves on `globalThis` for `integratedb._core`. */
export { operateOnClaims as operate } from '../core/index.ts'
