import { get, send } from './client'
import type { Json } from './decode'
import { oneOf } from './units'

export const POSTS = ['patrol', 'emergency'] as const
export type Post = (typeof POSTS)[number]

/** One unit on duty during [from, to), Unix milliseconds. */
export interface Shift {
  /** Code. */
  readonly unit: string
  readonly post: Post
  readonly from: number
  readonly to: number
}

/** When nobody of a street has the emergency post. */
export interface Gap {
  readonly street: string
  readonly from: number
  readonly to: number
}

export interface Roster {
  readonly revision: number
  readonly shifts: readonly Shift[]
  readonly gaps: readonly Gap[]
}

export interface RosterImported {
  readonly entered: number
  readonly from: number
  readonly to: number
}

export function fetchRoster(from: number, to: number, street: string, signal?: AbortSignal): Promise<Roster> {
  const query: Record<string, string> = { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
  if (street) query['street'] = street
  return get('/api/v1/roster', query, readRoster, signal)
}

/** Enters a file of shifts; `withGaps` lets gaps of the emergency post pass. */
export function importRoster(file: Blob, withGaps: boolean): Promise<RosterImported> {
  return send('POST', '/api/v1/roster', { query: withGaps ? { gaps: '1' } : {}, body: file, timeoutMs: 60_000 }, (json) => ({
    entered: json.at('entered').integer(),
    from: json.at('from').instant(),
    to: json.at('to').instant(),
  }))
}

export function readRoster(json: Json): Roster {
  return {
    revision: json.at('revision').integer(),
    shifts: json.at('shifts').itemsOrNone().map(readShift),
    gaps: readGaps(json),
  }
}

export function readShift(json: Json): Shift {
  return {
    unit: json.at('unit').text(),
    post: oneOf(json.at('post'), POSTS),
    from: json.at('from').instant(),
    to: json.at('to').instant(),
  }
}

/** The gaps that an answer or a problem document tells of. */
export function readGaps(json: Json): Gap[] {
  return json.at('gaps').itemsOrNone().map((gap) => ({ street: gap.at('street').text(), from: gap.at('from').instant(), to: gap.at('to').instant() }))
}
