/** What of the figures is shown, as the address tells it; and what that asks of the server. */
import type { Dimension, Part } from '../../api/figures'
import { DIMENSIONS } from '../../api/figures'
import { day, instantOf } from '../../ui/time'

export const GROUPS = ['intake', 'disposal', 'orders', 'quality', 'now'] as const
export type Group = (typeof GROUPS)[number]

/** The indicators of each group of columns. */
export const INDICATORS: Readonly<Record<Group, readonly string[]>> = {
  intake: ['received', 'accepted', 'accepted-grid', 'accepted-events', 'accepted-components', 'accepted-orders', 'self-handled'],
  disposal: ['disposal', 'disposal-of-accepted', 'disposal-on-time', 'disposal-on-time-of-accepted'],
  orders: ['accepted-orders', 'orders-finished', 'orders-on-time', 'orders-on-time-of-finished'],
  quality: ['closing', 'rework', 'extension', 'filing-on-time', 'dispatch-accurate'],
  now: ['in-disposal', 'near-limit', 'overdue-pending'],
}

/** What narrows figures down. */
export const FILTERS = ['street', 'grid', 'department', 'item', 'major', 'channel', 'topic', 'hour'] as const
export type FilterName = (typeof FILTERS)[number]

export interface View {
  /** Days in Shanghai, 2025-01-01; the second is included. */
  readonly from: string
  readonly to: string
  /** 'now', 'end' of the window, or an instant 2025-12-31T18:00. */
  readonly asOf: string
  readonly by: Dimension
  readonly group: Group
  readonly filter: Readonly<Partial<Record<FilterName, string>>>
}

const DATE = /^\d{4}-\d{2}-\d{2}$/

/** The view that an address tells; this year by street where it does not. */
export function readView(query: Readonly<Record<string, string>>, nowMs: number): View {
  const year = day(nowMs).slice(0, 4)
  const [from, to] = [query['from'] ?? '', query['to'] ?? '']
  const dated = isDay(from) && isDay(to) && from <= to
  const filter: Partial<Record<FilterName, string>> = {}
  for (const name of FILTERS) {
    const value = query[name]
    if (value) filter[name] = value
  }
  const asOf = query['as_of'] ?? ''
  return {
    from: dated ? from : `${year}-01-01`,
    to: dated ? to : `${year}-12-31`,
    asOf: asOf === 'end' || momentOf(asOf) !== null ? asOf : 'now',
    by: DIMENSIONS.find((d) => d === query['by']) ?? 'street',
    group: GROUPS.find((g) => g === query['columns']) ?? 'intake',
    filter,
  }
}

export function writeView(view: View): Record<string, string> {
  return {
    from: view.from,
    to: view.to,
    ...(view.asOf === 'now' ? {} : { as_of: view.asOf }),
    by: view.by,
    columns: view.group,
    ...view.filter,
  }
}

/** What the server is asked of `view`, its dimensions apart. */
export function queryOf(view: View): Record<string, string> {
  const end = nextDay(view.to)
  const moment = view.asOf === 'now' ? null : view.asOf === 'end' ? instantOf(end, '00:00') : momentOf(view.asOf)
  return {
    from: view.from,
    to: end,
    ...(moment === null ? {} : { as_of: new Date(moment).toISOString() }),
    ...view.filter,
  }
}

/** The view of one line of its dimension: a filter more, or the window of a span of time; `null` for a key that has no such view. */
export function narrowed(view: View, by: Dimension, key: string): View {
  switch (by) {
    case 'month': {
      const [from, to] = monthOf(key)
      return { ...view, from: from > view.from ? from : view.from, to: to < view.to ? to : view.to }
    }
    case 'day':
      return { ...view, from: key, to: key }
    default:
      return { ...view, filter: { ...view.filter, [by]: key === '' ? '-' : key } }
  }
}

/** The first and the last day of 2025-02. */
export function monthOf(month: string): [string, string] {
  const [year = 0, m = 1] = month.split('-').map(Number)
  const last = new Date(Date.UTC(year, m, 0)).getUTCDate()
  return [`${month}-01`, `${month}-${String(last).padStart(2, '0')}`]
}

export function nextDay(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
}

/** The kind of window that from and to are. */
export function spanOf(view: View): 'year' | 'month' | 'days' {
  const year = view.from.slice(0, 4)
  if (view.from === `${year}-01-01` && view.to === `${year}-12-31`) return 'year'
  const [first, last] = monthOf(view.from.slice(0, 7))
  return view.from === first && view.to === last ? 'month' : 'days'
}

/** The figure whose cases are shown, as the rest of an address tells it. */
export interface Drill {
  readonly indicator: string
  readonly part: Part
}

export function readDrill(path: readonly string[]): Drill | null {
  const [indicator, part] = path
  return indicator && (part === 'numerator' || part === 'denominator') ? { indicator, part } : null
}

function isDay(date: string): boolean {
  return DATE.test(date) && instantOf(date, '00:00') !== null
}

function momentOf(text: string): number | null {
  const [date = '', time = ''] = text.split('T')
  return instantOf(date, time)
}
