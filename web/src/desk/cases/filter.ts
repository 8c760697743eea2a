/** Which cases a queue shows: kept in the address, sent to the server, and held against each change that comes. */
import type { CaseLine, State } from '../../api/cases'
import { OPEN_STATES } from '../../api/cases'

/** The parts of a filter, as the address and the server spell them. */
export const FILTER_KEYS = ['state', 'overlay', 'due', 'channel', 'street', 'grid', 'department', 'party', 'item', 'centre', 'closed', 'q'] as const
export type FilterKey = (typeof FILTER_KEYS)[number]

/** What is not there is not asked for. */
export type Filter = Readonly<Partial<Record<FilterKey, string>>>

/** How long before it is due a case is near its limit. */
export const NEAR_MS = 2 * 3_600_000

export function readFilter(query: Readonly<Record<string, string>>): Filter {
  const filter: Partial<Record<FilterKey, string>> = {}
  for (const key of FILTER_KEYS) {
    const value = query[key]?.trim()
    if (value) filter[key] = value
  }
  return filter
}

/** The same filter always gives the same text, so that it can be compared and kept. */
export function writeFilter(filter: Filter): Record<string, string> {
  return Object.fromEntries(FILTER_KEYS.flatMap((key) => (filter[key] ? [[key, filter[key]]] : [])))
}

export function sameFilter(a: Filter, b: Filter): boolean {
  return FILTER_KEYS.every((key) => (a[key] ?? '') === (b[key] ?? ''))
}

/** `filter` with one part set, or taken out when it is empty. */
export function withPart(filter: Filter, key: FilterKey, value: string): Filter {
  return readFilter({ ...filter, [key]: value })
}

/** What narrows which cases are counted; the queues themselves are told apart within that. */
const COUNTED: readonly FilterKey[] = ['channel', 'street', 'grid', 'department', 'party', 'item', 'centre']

export function countedBy(filter: Filter): Filter {
  return Object.fromEntries(COUNTED.flatMap((key) => (filter[key] ? [[key, filter[key]]] : [])))
}

export function isOpen(state: State): boolean {
  return (OPEN_STATES as readonly State[]).includes(state)
}

/** Whether `filter` shows what is over, the newest first, in the place of what is open. */
export function showsClosed(filter: Filter): boolean {
  return filter.closed === '1' || (filter.state !== undefined && !(OPEN_STATES as readonly string[]).includes(filter.state))
}

/** Whether `line` belongs to what `filter` asks for; null when only the server can tell. */
export function belongs(filter: Filter, line: CaseLine, now: number): boolean | null {
  const { place, lead, next } = line
  const fits =
    isOpen(line.state) !== showsClosed(filter) &&
    is(filter.state, line.state) &&
    (!filter.overlay || line.overlays.some((o) => o === filter.overlay)) &&
    is(filter.channel, line.channel) &&
    is(filter.item, line.item) &&
    is(filter.street, place?.street ?? '') &&
    is(filter.grid, place?.grid ?? '') &&
    (filter.party === '1' || is(filter.department, lead?.code ?? '')) &&
    isDue(filter.due, next?.at ?? null, now)
  if (!fits) return false
  return filter.q || filter.centre || filter.party === '1' ? null : true
}

function is(asked: string | undefined, got: string): boolean {
  return asked === undefined || asked === '' || asked === got
}

function isDue(asked: string | undefined, at: number | null, now: number): boolean {
  if (!asked) return true
  if (at === null) return false
  return asked === 'overdue' ? at < now : at >= now && at < now + NEAR_MS
}
