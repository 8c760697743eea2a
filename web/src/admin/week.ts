import type { Gap, Post, Shift } from '../api/roster'
import { day, instantOf } from '../ui/time'

export const DAY_MS = 86_400_000

/** Midnight in Shanghai of the Monday of the week of `ms`. */
export function mondayOf(ms: number): number {
  const midnight = instantOf(day(ms), '00:00') ?? ms
  // 1970-01-05 was a Monday; Shanghai's midnights lie 8 hours before UTC's.
  const days = Math.round((midnight + 8 * 3_600_000) / DAY_MS) - 4
  return midnight - (((days % 7) + 7) % 7) * DAY_MS
}

/** One stretch of a row of seven days; `left` and `width` are shares of the week. */
export interface Bar {
  readonly post: Post
  readonly from: number
  readonly to: number
  readonly left: number
  readonly width: number
}

export interface WeekRow {
  /** Code. */
  readonly unit: string
  readonly bars: readonly Bar[]
  readonly hours: number
}

/** The shifts of the week from `monday`, a row for each unit, by code. */
export function weekRows(shifts: readonly Shift[], monday: number): WeekRow[] {
  const end = monday + 7 * DAY_MS
  const rows = new Map<string, Bar[]>()
  for (const { unit, post, from, to } of shifts) {
    if (to <= monday || from >= end) continue
    const row = rows.get(unit) ?? []
    row.push({ post, from, to, ...place(from, to, monday) })
    rows.set(unit, row)
  }
  return [...rows]
    .map(([unit, bars]) => ({
      unit,
      bars: bars.sort((a, b) => a.from - b.from),
      hours: bars.reduce((sum, bar) => sum + (Math.min(bar.to, end) - Math.max(bar.from, monday)) / 3_600_000, 0),
    }))
    .sort((a, b) => (a.unit < b.unit ? -1 : 1))
}

/** The gaps of the week from `monday`, as bars. */
export function gapBars(gaps: readonly Gap[], monday: number): Bar[] {
  return gaps.map(({ from, to }) => ({ post: 'emergency', from, to, ...place(from, to, monday) }))
}

function place(from: number, to: number, monday: number): { left: number; width: number } {
  const at = (ms: number): number => Math.min(1, Math.max(0, (ms - monday) / (7 * DAY_MS)))
  return { left: at(from), width: at(to) - at(from) }
}
