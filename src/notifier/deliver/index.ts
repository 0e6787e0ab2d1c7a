/** The kinds of channel: one file each. */
import type { ChannelKind } from '../channel/sink.ts'
import { queue } from './queue.ts'
import { socket } from './socket.ts'
import { webhook } from './webhook.ts'

export const kinds: Readonly<Record<string, ChannelKind>> = { WEBHOOK: webhook, SOCKET: socket, QUEUE: queue }
