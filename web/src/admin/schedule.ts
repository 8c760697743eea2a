import type { Term } from '../api/generations'
import { isBeginning } from '../ui/time'

/** A term as a piece of a line from 0 to 1. */
export interface Piece {
  readonly term: Term
  readonly start: number
  readonly end: number
  /** It goes on beyond the line. */
  readonly openStart: boolean
  readonly openEnd: boolean
  /** The line under it, from 0, that has room for its date; null for none. */
  readonly dateRow: number | null
}

export interface Line {
  readonly pieces: readonly Piece[]
  /** Where now is. */
  readonly now: number
}

const DAY_MS = 86_400_000

/** What a date takes of the line, and how many lines of dates there are. */
const DATE_WIDTH = 0.1
const DATE_ROWS = 2

/**
 * Lays the schedule out in time, with room on both sides for what is open.
 * Every piece is at least `least` wide, so that it can be seen and pressed.
 */
export function layOut(schedule: readonly Term[], now: number, least = 0.03): Line {
  const dated = schedule.flatMap((t) => [isBeginning(t.from) ? [] : [t.from], t.to === null ? [] : [t.to]].flat())
  const first = Math.min(now, ...dated)
  const last = Math.max(now, ...dated)
  const room = Math.max((last - first) * 0.15, 15 * DAY_MS)
  const [from, to] = [first - room, last + room]
  const at = (ms: number): number => Math.min(1, Math.max(0, (ms - from) / (to - from)))
  let reached = 0
  const free = Array.from({ length: DATE_ROWS }, () => 0)
  const pieces = schedule.map((term) => {
    const start = Math.max(at(term.from), reached)
    const end = Math.min(1, Math.max(term.to === null ? 1 : at(term.to), start + least))
    reached = end
    const openStart = term.from < from
    const row = openStart ? -1 : free.findIndex((x) => x <= start)
    if (row >= 0) free[row] = start + DATE_WIDTH
    return { term, start, end, openStart, openEnd: term.to === null, dateRow: row < 0 ? null : row }
  })
  return { pieces, now: at(now) }
}

/** The term in force at `at`, and the first one after it. */
export function around(schedule: readonly Term[], at: number): { before: Term | null; after: Term | null } {
  return {
    before: schedule.find((t) => t.from <= at && (t.to === null || at < t.to)) ?? null,
    after: schedule.find((t) => t.from > at) ?? null,
  }
}
