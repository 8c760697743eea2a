/** How a live picture stands to what it shows. */
export type Link =
  | { readonly state: 'opening' }
  | { readonly state: 'live' }
  /** Frames of a while ago come one after another. */
  | { readonly state: 'catching-up' }
  /** Nothing has come since then, Unix milliseconds. */
  | { readonly state: 'lost'; readonly since: number }

/** What was heard of a stream. Local instants are Unix milliseconds of this machine's clock. */
export interface Hearing {
  readonly opened: number
  /** Of the last frame, when it came; null before the first. */
  readonly heard: number | null
  /** The least time that a frame took since the last snapshot, by two clocks that may differ. */
  readonly least: number
  /** How much longer than that the last one took. */
  readonly lag: number
}

/** A frame comes every second: after five without one, what is shown is old. */
export const LOST_MS = 5_000
const LAG_MS = 3_000

export function openedAt(now: number): Hearing {
  return { opened: now, heard: null, least: Infinity, lag: 0 }
}

/** After a frame of the moment `at` came at `now`. */
export function hear(was: Hearing, now: number, at: number, snap: boolean): Hearing {
  const took = now - at
  const least = snap ? took : Math.min(was.least, took)
  return { opened: was.opened, heard: now, least, lag: took - least }
}

export function linkOf({ opened, heard, lag }: Hearing, now: number): Link {
  if (heard === null) return now - opened < LOST_MS ? { state: 'opening' } : { state: 'lost', since: opened }
  if (now - heard >= LOST_MS) return { state: 'lost', since: heard }
  return { state: lag > LAG_MS ? 'catching-up' : 'live' }
}
