/** What is counted, as the address has it. */
import type { HeatQuery } from '../../api/heatmap'

export const WINDOWS = ['24h', '7d', '30d', '90d', '365d'] as const
export type Window = (typeof WINDOWS)[number]
export const PERS = ['count', 'km2', 'patrol-hour'] as const
export type Per = (typeof PERS)[number]

/** How long a step of each window's slider is. */
export const STEPS: Readonly<Record<Window, string>> = { '24h': '1h', '7d': '6h', '30d': '1d', '90d': '3d', '365d': '1w' }

export interface Asked {
  readonly window: Window
  readonly per: Per
  readonly major: string
  readonly channel: string
  readonly street: string
  readonly open: boolean
  readonly cells: boolean
}

/** What `query` asks for; what it does not say, or says wrongly, is as usual. */
export function readAsked(query: Readonly<Record<string, string>>): Asked {
  return {
    window: WINDOWS.find((w) => w === query['window']) ?? '30d',
    per: PERS.find((p) => p === query['per']) ?? 'count',
    major: query['major'] ?? '',
    channel: query['channel'] ?? '',
    street: query['street'] ?? '',
    open: query['open'] === '1',
    cells: query['cells'] === '1',
  }
}

/** The other way: only what is not as usual. */
export function writeAsked(asked: Asked): Record<string, string> {
  const out: Record<string, string> = {}
  if (asked.window !== '30d') out['window'] = asked.window
  if (asked.per !== 'count') out['per'] = asked.per
  for (const key of ['major', 'channel', 'street'] as const) if (asked[key]) out[key] = asked[key]
  if (asked.open) out['open'] = '1'
  if (asked.cells) out['cells'] = '1'
  return out
}

/** What narrows cases down, the window apart. */
export function filterOf({ major, channel, street, open }: Asked): HeatQuery {
  return { ...(major && { major }), ...(channel && { channel }), ...(street && { street }), ...(open && { open: '1' }) }
}
