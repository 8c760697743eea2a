import type { LonLat } from '../geometry/coord'
import { get, send } from './client'
import type { Json } from './decode'
import { oneOf } from './units'

export const MATTER_KINDS = ['sos', 'overdue', 'lapsing', 'review', 'uncovered', 'rising', 'silent'] as const
export type MatterKind = (typeof MATTER_KINDS)[number]

/** One thing that needs a person. Instants are Unix milliseconds. */
export interface Matter {
  readonly id: string
  readonly kind: MatterKind
  /** A unit's code, a case's number, a grid's code. */
  readonly subject: string
  readonly name: string
  readonly street: string
  readonly grid: string
  readonly where: LonLat | null
  readonly since: number
  readonly due: number | null
  readonly urgent: boolean
  /** Of `uncovered`: minutes of debt; of `rising`: cases, beside `usual`. */
  readonly amount: number
  readonly usual: number
  /** Who has taken it on. */
  readonly seen: Seen | null
}

export interface Seen {
  readonly by: string
  readonly at: number
}

export interface Attention {
  readonly at: number
  /** The most pressing first; not all of them. */
  readonly matters: readonly Matter[]
  /** Of all. */
  readonly counts: Readonly<Record<MatterKind, number>>
}

export function fetchAttention(signal?: AbortSignal): Promise<Attention> {
  return get('/api/v1/attention', {}, readAttention, signal)
}

export function takeMatter(id: string): Promise<Seen> {
  return send('PUT', matterPath(id), {}, readSeen)
}

export function giveMatter(id: string): Promise<void> {
  return send('DELETE', matterPath(id), {}, () => undefined)
}

const matterPath = (id: string): string => `/api/v1/attention/${encodeURIComponent(id)}`

export function readAttention(json: Json): Attention {
  const counts = json.at('counts')
  return {
    at: json.at('at').instant(),
    counts: Object.fromEntries(MATTER_KINDS.map((kind) => [kind, counts.at(kind).numberOr(0)])) as Record<MatterKind, number>,
    matters: json.at('matters').itemsOrNone().map((m) => ({
      id: m.at('id').text(),
      kind: oneOf(m.at('kind'), MATTER_KINDS),
      subject: m.at('subject').text(),
      name: m.at('name').textOr(''),
      street: m.at('street').textOr(''),
      grid: m.at('grid').textOr(''),
      where: m.at('where').absent ? null : m.at('where').lonLat(),
      since: m.at('since').instant(),
      due: m.at('due').instantOrNull(),
      urgent: m.at('urgent').flagOr(false),
      amount: m.at('amount').numberOr(0),
      usual: m.at('usual').numberOr(0),
      seen: m.at('seen').absent ? null : readSeen(m.at('seen')),
    })),
  }
}

function readSeen(json: Json): Seen {
  return { by: json.at('by').text(), at: json.at('at').instant() }
}
