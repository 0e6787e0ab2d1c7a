/** Chance, as fast-check has it: the same history from the same seed and path. */
import fc from 'fast-check'

/** Without fast-check's liking for the least and the most: of what there is to choose from, neither end is special. */
const die = (least: number, most: number) => fc.noBias(fc.integer({ min: least, max: most }))

export class Dice {
  private readonly draw: fc.GeneratorValue

  constructor(draw: fc.GeneratorValue) {
    this.draw = draw
  }

  chance(of: number): boolean {
    return this.between(1, 1000) <= of * 1000
  }

  between(least: number, most: number): number {
    return this.draw(die, least, most)
  }

  one<T>(all: readonly T[]): T {
    return all[this.between(0, Math.max(0, all.length - 1))] as T
  }

  maybe<T>(all: readonly T[]): T | undefined {
    return all.length === 0 ? undefined : this.one(all)
  }

  /** At least one of them, unless there is none. */
  some<T>(all: readonly T[], share = 0.5): T[] {
    const chosen = all.filter(() => this.chance(share))
    return chosen.length > 0 || all.length === 0 ? chosen : [this.one(all)]
  }
}
