/** What happened, one JSON object a line. */

type Level = 'info' | 'warn' | 'error'

export interface Log {
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** `write` gets a line with its end. */
export function jsonLog(write: (line: string) => void): Log {
  const to =
    (level: Level) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`)
  return { info: to('info'), warn: to('warn'), error: to('error') }
}

/** Of whatever was thrown: one line. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ')
}
