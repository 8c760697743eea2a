import type { LonLat } from '../geometry/coord'
import { get } from './client'
import type { Json } from './decode'

/** A report that became no position. Instants are Unix milliseconds. */
export interface Refusal {
  readonly id: number
  /** Code of the unit, and id of the device; empty where not known. */
  readonly unit: string
  readonly device: string
  /** The wire form that it came by. */
  readonly source: string
  /** By the device's clock; null when it told none. */
  readonly at: number | null
  readonly received: number
  readonly reason: string
  readonly detail: string
  /** As it came, secrets taken out. */
  readonly raw: string
  readonly position: LonLat | null
  readonly accuracyM: number | null
}

export interface Quarantine {
  /** By reason, in the server's order. */
  readonly counts: ReadonlyMap<string, number>
  readonly refusals: readonly Refusal[]
  readonly more: boolean
}

export interface QuarantineQuery {
  readonly reason: string
  readonly unit: string
  readonly from: number
  readonly to: number
  readonly limit: number
}

export function fetchQuarantine(q: QuarantineQuery, signal?: AbortSignal): Promise<Quarantine> {
  const query: Record<string, string> = { from: new Date(q.from).toISOString(), to: new Date(q.to).toISOString(), limit: String(q.limit) }
  if (q.reason) query['reason'] = q.reason
  if (q.unit) query['unit'] = q.unit
  return get('/api/v1/quarantine', query, readQuarantine, signal)
}

export function readQuarantine(json: Json): Quarantine {
  const counts = json.at('counts')
  return {
    counts: new Map(counts.keys().map((reason) => [reason, counts.at(reason).integer()])),
    refusals: json.at('refusals').itemsOrNone().map((r) => ({
      id: r.at('id').integer(),
      unit: r.at('unit').textOr(''),
      device: r.at('device').textOr(''),
      source: r.at('source').textOr(''),
      at: r.at('at').instantOrNull(),
      received: r.at('received').instant(),
      reason: r.at('reason').text(),
      detail: r.at('detail').textOr(''),
      raw: r.at('raw').textOr(''),
      position: r.at('position').absent ? null : r.at('position').lonLat(),
      accuracyM: r.at('accuracy_m').absent ? null : r.at('accuracy_m').number(),
    })),
    more: json.at('more').flagOr(false),
  }
}
