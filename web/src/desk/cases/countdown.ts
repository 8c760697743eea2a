/** How long until something is due, in as few characters as an operator needs. */
import { NEAR_MS } from './filter'

/** How pressing a case is. Each has a shape of its own beside its colour. */
export type Urgency = 'late' | 'near' | 'today' | 'calm' | 'none'

const DAY_MS = 86_400_000

/** What is done at the very due time is done in time. */
export function urgencyOf(due: number | null, now: number): Urgency {
  if (due === null) return 'none'
  const left = due - now
  if (left < 0) return 'late'
  if (left < NEAR_MS) return 'near'
  return left < DAY_MS ? 'today' : 'calm'
}

/** The words around the figures of a countdown. */
export interface CountdownWords {
  readonly days: (n: number, hours: number) => string
  readonly hours: (n: number, minutes: number) => string
}

/** 12:05 below an hour, then hours and minutes, then days and hours; without a sign. */
export function countdown(due: number, now: number, words: CountdownWords): string {
  const late = due < now
  // What is left is rounded up and what is over down, so that 0:00 is the due second itself.
  const s = late ? Math.floor((now - due) / 1000) : Math.ceil((due - now) / 1000)
  if (s < 3600) return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`
  const m = Math.floor(s / 60)
  if (m < 48 * 60) return words.hours(Math.floor(m / 60), m % 60)
  return words.days(Math.floor(m / 1440), Math.floor((m % 1440) / 60))
}
