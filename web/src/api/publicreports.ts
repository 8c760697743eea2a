/** The public channel: what citizens report, and what becomes of it. */
import type { Bounds, LonLat } from '../geometry/coord'
import { get, send } from './client'
import type { Json } from './decode'

export interface Choice {
  readonly code: string
  readonly name: string
  readonly english: string
  readonly words: readonly string[]
  readonly major: string
}

/** What the form needs to know of the district and of what can be reported. */
export interface PublicForm {
  readonly bounds: Bounds
  readonly majors: readonly { readonly code: string; readonly name: string }[]
  /** The most reported first. */
  readonly items: readonly Choice[]
  readonly photos: number
  readonly borders: readonly (readonly LonLat[])[]
  readonly names: readonly { readonly name: string; readonly at: LonLat; readonly street: boolean }[]
}

export function readPublicForm(json: Json): PublicForm {
  const [west = 0, south = 0, east = 0, north = 0] = json.at('bounds').items().map((n) => n.number())
  return {
    bounds: [west, south, east, north],
    majors: json.at('majors').items().map((m) => ({ code: m.at('code').text(), name: m.at('name').text() })),
    items: json.at('items').items().map((i) => ({
      code: i.at('code').text(), name: i.at('name').text(), english: i.at('english').textOr(''),
      words: i.at('words').items().map((w) => w.text()), major: i.at('major').text(),
    })),
    photos: json.at('photos').integer(),
    borders: json.at('borders').items().map((line) => line.items().map((p) => p.lonLat())),
    names: json.at('names').items().map((n) => ({ name: n.at('name').text(), at: n.at('at').lonLat(), street: n.at('street').flag() })),
  }
}

export const publicForm = (): Promise<PublicForm> => get('/api/v1/public/report', {}, readPublicForm)

/** One of the neighbours between which a place lies. */
export interface Side {
  readonly answer: number
  readonly grid: string
  readonly street: string
  readonly agency: string
}

export const readSides = (json: Json): Side[] =>
  json.items().map((s) => ({ answer: s.at('answer').integer(), grid: s.at('grid').textOr(''), street: s.at('street').textOr(''), agency: s.at('agency').textOr('') }))

/** A report that may be the same. */
export interface Hint {
  readonly join: string
  readonly distanceM: number
  readonly agoS: number
  readonly open: boolean
}

export interface Checked {
  readonly inside: boolean
  readonly nearest: { readonly grid: string; readonly distanceM: number } | null
  readonly street: string
  readonly grid: string
  readonly agency: string
  readonly sides: readonly Side[]
  readonly hints: readonly Hint[]
}

export interface Place {
  readonly at: LonLat
  readonly accuracyM: number
}

const wire = (p: Place): object => ({ lon: p.at[0], lat: p.at[1], accuracy_m: Math.min(1000, Math.round(p.accuracyM)) })

/** Where a report would go, and what may be the same. */
export function checkReport(item: string, place: Place): Promise<Checked> {
  return send('POST', '/api/v1/public/reports/check', { body: { item, position: wire(place) }, anonymous: true }, (json) => ({
    inside: json.at('inside').flag(),
    nearest: json.at('nearest').absent ? null : { grid: json.at('nearest').at('grid').text(), distanceM: json.at('nearest').at('distance_m').number() },
    street: json.at('street').textOr(''),
    grid: json.at('grid').textOr(''),
    agency: json.at('agency').textOr(''),
    sides: readSides(json.at('candidates')),
    hints: json.at('duplicates').items().map((h) => ({ join: h.at('join').text(), distanceM: h.at('distance_m').number(), agoS: h.at('ago_s').number(), open: h.at('open').flag() })),
  }))
}

/** What one report says; `key` is the same however often it is sent. */
export interface Report {
  readonly key: string
  readonly item: string
  readonly text: string
  readonly capturedMs: number
  readonly place: Place | null
  readonly address: string
  readonly answer: number
  readonly unsure: boolean
  readonly name: string
  readonly contact: string
  readonly publish: boolean
  readonly join: string
}

export interface Receipt {
  readonly number: string
  readonly follow: string
  readonly added: boolean
}

/** A ticket, and how long it takes until it is good. */
export const ticket = (): Promise<{ ticket: string; waitMs: number }> =>
  get('/api/v1/public/report/ticket', {}, (json) => ({ ticket: json.at('ticket').text(), waitMs: json.at('wait_ms').number() }))

export function sendReport(r: Report, pass: string, evidence: readonly string[]): Promise<Receipt> {
  const reporter = !r.join && (r.name || r.contact) ? { name: r.name, contact: r.contact } : undefined
  const body = {
    key: r.key, ticket: pass, website: '', item: r.item, text: r.text, captured: new Date(r.capturedMs).toISOString(),
    position: r.place ? wire(r.place) : undefined, address: r.address, answer: r.answer, unsure: r.unsure, evidence, reporter, publish: r.publish, join: r.join,
  }
  return send('POST', '/api/v1/public/reports', { body, timeoutMs: 30_000, anonymous: true }, (json) => ({
    number: json.at('number').text(), follow: json.at('follow').text(), added: json.at('added').flag(),
  }))
}

export interface ReportStatus {
  readonly number: string
  readonly receivedMs: number
  readonly state: string
  readonly standing: boolean
  readonly partOf: number
  readonly item: string
  readonly english: string
  readonly street: string
  readonly agency: string
  readonly dueMs: number | null
  readonly added: number
  readonly own: boolean
  readonly answer: string
  readonly steps: readonly { readonly atMs: number; readonly state: string }[]
}

export function followReport(secret: string): Promise<ReportStatus> {
  return get(`/api/v1/public/reports/${encodeURIComponent(secret)}`, {}, (json) => ({
    number: json.at('number').text(), receivedMs: json.at('received').instant(), state: json.at('state').text(), standing: json.at('standing').flag(),
    partOf: json.at('part_of').numberOr(0), item: json.at('item').textOr(''), english: json.at('item_english').textOr(''), street: json.at('street').textOr(''),
    agency: json.at('agency').textOr(''), dueMs: json.at('due').absent ? null : json.at('due').instant(), added: json.at('added').integer(), own: json.at('own').flag(),
    answer: json.at('answer').textOr(''), steps: json.at('steps').items().map((s) => ({ atMs: s.at('at').instant(), state: s.at('state').text() })),
  }))
}
