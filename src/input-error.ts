/** What the user gave cannot be used. The message is for people, one line, and holds no password. */
export class InputError extends Error {
  override name = 'InputError'
}
