/**
 * A transaction until its commit: protocol 1 tells its end LSN, and so the ids of its events, only behind its last row. In memory, as it came from
 * the network, up to a bound; above that in a temporary file that has no name any more, so that nothing is left behind however we end.
 */
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Batch } from './replication.ts'

const MOST_IN_MEMORY = 4 << 20
/** So much goes to the file at a time, and comes back. */
const PIECE = 256 << 10

export class Spool {
  readonly #most: number
  readonly #folder: string
  #kept: Batch[] = []
  #size = 0
  #file: FileHandle | undefined
  #written = 0

  constructor({ most = MOST_IN_MEMORY, folder = tmpdir() }: { most?: number; folder?: string } = {}) {
    this.#most = most
    this.#folder = folder
  }

  /** Messages from..to of a batch. A promise, if they are too many for the memory: then nothing may be added until it is kept. */
  add(batch: Batch, from: number, to: number): Promise<void> | undefined {
    if (from >= to) return undefined
    const positions = batch.positions.slice(from * 2, to * 2)
    this.#kept.push({ bytes: batch.bytes, positions })
    this.#size += (positions.at(-1) as number) - (positions[0] as number)
    return this.#size > (this.#file ? PIECE : this.#most) ? this.#spill() : undefined
  }

  /** All that was added, in order. */
  async *batches(): AsyncGenerator<Batch> {
    if (this.#file) yield* this.#read(this.#file)
    yield* this.#kept
  }

  /** Is everything in memory? Then it can be had at once. */
  get kept(): readonly Batch[] | null {
    return this.#file ? null : this.#kept
  }

  async clear(): Promise<void> {
    const file = this.#file
    this.#kept = []
    this.#size = 0
    this.#file = undefined
    this.#written = 0
    await file?.close()
  }

  async #spill(): Promise<void> {
    this.#file ??= await this.#create()
    const kept = this.#kept
    this.#kept = []
    this.#size = 0
    for (const { bytes, positions } of kept) {
      const size = (positions.length / 2) * 4 + positions.reduce((sum, at, i) => sum + (i % 2 ? at : -at), 0)
      const piece = Buffer.allocUnsafe(size)
      let at = 0
      for (let i = 0; i < positions.length; i += 2) {
        const [start, end] = [positions[i] as number, positions[i + 1] as number]
        at = piece.writeUInt32BE(end - start, at)
        at += bytes.copy(piece, at, start, end)
      }
      await writeAll(this.#file, piece, this.#written)
      this.#written += size
    }
  }

  async #create(): Promise<FileHandle> {
    const path = join(this.#folder, `integratedb-${randomUUID()}`)
    const file = await open(path, 'wx+', 0o600)
    await unlink(path)
    return file
  }

  async *#read(file: FileHandle): AsyncGenerator<Batch> {
    let at = 0
    let needed = PIECE
    while (at < this.#written) {
      const bytes = Buffer.allocUnsafe(Math.min(Math.max(needed, PIECE), this.#written - at))
      await readAll(file, bytes, at)
      const batch: Batch = { bytes, positions: [] }
      let next = 0
      while (next + 4 <= bytes.length) {
        needed = 4 + bytes.readUInt32BE(next)
        if (next + needed > bytes.length) break
        batch.positions.push(next + 4, next + needed)
        next += needed
      }
      at += next
      if (batch.positions.length > 0) yield batch
    }
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}

async function readAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done)
    if (bytesRead === 0) throw new Error('the temporary file of a transaction is shorter than what was written to it')
    done += bytesRead
  }
}
