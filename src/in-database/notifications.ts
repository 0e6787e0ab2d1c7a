/** What the bundle leaves on `globalThis` for `integratedb._notification_core`. */
export { operateOnNotifications as operate } from '../core/index.ts'
