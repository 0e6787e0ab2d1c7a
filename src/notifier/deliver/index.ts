/** The kinds of channel: one file each. */
import type { ChannelKind } from '../channel/sink.ts'

export const kinds: Readonly<Record<string, ChannelKind>> = {}
