/** What moment the wall shows: now, or a past one that stands still or plays. */
export type Moment =
  | { readonly kind: 'live' }
  /** `at` is in Unix milliseconds; `speed` is how many times as fast as it was, 0 stands still. */
  | { readonly kind: 'past'; readonly at: number; readonly speed: number }

export const LIVE: Moment = { kind: 'live' }

export const SPEEDS = [1, 5, 10, 30, 60] as const

const MINUTE_MS = 60_000

/** A past moment as a link has it: `t=2026-03-03T09:12:00+08:00&x=10`; empty for now. */
export function writeMoment(moment: Moment): string {
  if (moment.kind === 'live') return ''
  const local = new Date(moment.at + 8 * 3_600_000).toISOString().slice(0, 19)
  return `t=${local}+08:00${moment.speed > 0 ? `&x=${moment.speed}` : ''}`
}

/** Reads what `writeMoment` wrote; what is none, or not in the past of `now`, is now. */
export function readMoment(hash: string, now: number): Moment {
  // A plus is a plus in a time's offset, and not a space.
  const query = new URLSearchParams(hash.replace(/^#/, '').replaceAll('+', '%2B'))
  const at = Date.parse(query.get('t') ?? '')
  if (Number.isNaN(at) || at >= now) return LIVE
  const speed = Number(query.get('x') ?? 0)
  return { kind: 'past', at, speed: SPEEDS.some((s) => s === speed) ? speed : 0 }
}

/** The whole minute that holds `ms`: pictures of the past are asked for by the minute. */
export const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS) * MINUTE_MS

/** `moment` moved by `ms`; what would not lie in the past of `now` is now. */
export function moved(moment: Moment, ms: number, now: number): Moment {
  const at = (moment.kind === 'live' ? now : moment.at) + ms
  if (at >= now) return LIVE
  return { kind: 'past', at, speed: moment.kind === 'live' ? 0 : moment.speed }
}
