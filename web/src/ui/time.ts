/** Instants as people here read them: Asia/Shanghai, which has kept UTC+8 since 1991. */
const OFFSET_MS = 8 * 3_600_000

/** Terms that begin no later than this have been there "from the beginning". */
const BEGINNING_MS = 0

/** 2027-01-01 08:00 */
export function minute(ms: number): string {
  return shifted(ms).slice(0, 16).replace('T', ' ')
}

/** 2027-01-01 08:00:05 */
export function second(ms: number): string {
  return shifted(ms).slice(0, 19).replace('T', ' ')
}

/** 2027-01-01 */
export function day(ms: number): string {
  return shifted(ms).slice(0, 10)
}

/** Whether `ms` stands for "from the beginning" and not for a date. */
export function isBeginning(ms: number): boolean {
  return ms <= BEGINNING_MS
}

/** What an <input type=date> and an <input type=time> hold, as an instant; null when it is none. */
export function instantOf(date: string, time: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || !/^\d{2}:\d{2}(:\d{2})?$/.test(time)) return null
  const ms = Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}+08:00`)
  // The 30th of February is the 2nd of March to some readers, and no day here.
  return Number.isNaN(ms) || day(ms) !== date ? null : ms
}

function shifted(ms: number): string {
  return new Date(ms + OFFSET_MS).toISOString()
}

/** 08:00, or 2027-01-01 08:00 on another day than that of `now`. */
export function clock(ms: number, now: number): string {
  return day(ms) === day(now) ? shifted(ms).slice(11, 16) : minute(ms)
}

/** The two figures of a span that say most: whole units, never above what has passed. */
export interface Span {
  readonly unit: 'seconds' | 'minutes' | 'hours' | 'days'
  readonly n: number
  /** Of `hours`: minutes beside them. */
  readonly rest: number
}

export function span(ms: number): Span {
  const s = Math.max(0, Math.floor(ms / 1000))
  if (s < 60) return { unit: 'seconds', n: s, rest: 0 }
  const m = Math.floor(s / 60)
  if (m < 60) return { unit: 'minutes', n: m, rest: 0 }
  if (m < 48 * 60) return { unit: 'hours', n: Math.floor(m / 60), rest: m % 60 }
  return { unit: 'days', n: Math.floor(m / 1440), rest: 0 }
}
