/** A server or a session that hangs lets every later test time out, one after the other, for an hour. Three are enough. */
import type { Reporter, TestCase, Vitest } from 'vitest/node'

export default class HangReporter implements Reporter {
  private vitest: Vitest | undefined
  private timeouts = 0

  onInit(vitest: Vitest): void {
    this.vitest = vitest
  }

  onTestCaseResult(test: TestCase): void {
    if (!test.result().errors?.some(({ message }) => /^(Test|Hook) timed out/.test(message))) return
    this.timeouts++
    if (this.timeouts !== 3) return
    console.log('three tests have timed out: the rest is not run')
    // Not awaited: it waits for the run, and the run for us.
    void this.vitest?.cancelCurrentRun('test-failure')
  }
}
