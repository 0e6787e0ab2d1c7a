/** Events land in a table of the stakeholder's own, from which take_events() hands them out. */
import type { ChannelKind } from '../channel/sink.ts'

export const queue: ChannelKind = {
  async open({ id }, { database }) {
    return {
      concurrency: 1,
      maxBatch: 500,
      maxBatchBytes: 1 << 20,
      async deliver(events) {
        await database.enqueue(id, events)
        return { outcome: 'delivered' }
      },
      async close() {},
    }
  },
}
