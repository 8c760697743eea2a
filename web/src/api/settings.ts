/** What a district sets for its casework, whole, and how it is changed. */
import { get, getText, send } from './client'
import type { Json } from './decode'
import type { LonLat } from '../geometry/coord'
import type { Named } from './resolve'

export interface Stage {
  readonly name: string
  readonly hours: number
}

/** One row of the catalogue, every column of it. */
export interface FullItem {
  readonly code: string
  readonly name: string
  readonly major: Named
  readonly kind: string
  readonly lead: string
  readonly support: readonly string[]
  readonly responseMinutes: number
  readonly disposalHours: number
  readonly clock: Clock
  readonly key: boolean
  readonly stages: readonly Stage[]
}

export type Clock = 'working' | 'calendar'

export interface Version {
  readonly number: number
  /** Unix milliseconds; null is from the beginning. */
  readonly from: number | null
  readonly hash: string
  readonly count: number
}

export interface Edition extends Version {
  readonly versions: readonly Version[]
  readonly items: readonly FullItem[]
  readonly departments: readonly (Named & { readonly level: string })[]
}

/** The version of that number; 0 is the one in force. */
export function fetchEdition(number: number, signal?: AbortSignal): Promise<Edition> {
  return get('/api/v1/catalogue', number > 0 ? { version: String(number) } : {}, readEdition, signal)
}

/** Where a version's table is to be had as CSV. */
export const tableAddress = (number: number, table: 'items' | 'departments'): string => `/api/v1/catalogue?version=${number}&table=${table}`

export function fetchTable(number: number, table: 'items' | 'departments', signal?: AbortSignal): Promise<string> {
  return getText('/api/v1/catalogue', { version: String(number), table }, signal)
}

/** Puts an item in, in the place of that of its code: the next version, in force from that instant, or at once. Answers its number. */
export function editItem(item: FullItem, from: number | null): Promise<number> {
  return send('PATCH', '/api/v1/catalogue', { body: { ...begins(from), items: [wireItem(item)] } }, (json) => json.at('number').integer())
}

/** Enters two whole tables as the next version. Answers its number. */
export function importCatalogue(items: string, departments: string, from: number | null): Promise<number> {
  return send('POST', '/api/v1/catalogue', { body: { ...begins(from), items, departments }, timeoutMs: 60_000 }, (json) => json.at('number').integer())
}

const begins = (from: number | null): { from?: string } => (from === null ? {} : { from: new Date(from).toISOString() })

export function readEdition(json: Json): Edition {
  return {
    ...readVersion(json),
    versions: json.at('versions').items().map(readVersion),
    items: json.at('items').items().map((item) => ({
      code: item.at('code').text(),
      name: item.at('name').text(),
      major: { code: item.at('major').at('code').text(), name: item.at('major').at('name').text() },
      kind: item.at('kind').text(),
      lead: item.at('lead_department').text(),
      support: item.at('support_departments').itemsOrNone().map((code) => code.text()),
      responseMinutes: item.at('response_minutes').integer(),
      disposalHours: item.at('disposal_hours').integer(),
      clock: readClock(item.at('clock')),
      key: item.at('xiaolianqin_key').flagOr(false),
      stages: item.at('stages').itemsOrNone().map((s) => ({ name: s.at('name').text(), hours: s.at('hours').integer() })),
    })),
    departments: json.at('departments').items().map((d) => ({ code: d.at('code').text(), name: d.at('name').text(), level: d.at('level').text() })),
  }
}

function readVersion(json: Json): Version {
  return { number: json.at('number').integer(), from: json.at('from').instantOrNull(), hash: json.at('hash').text(), count: json.at('item_count').integer() }
}

function readClock(json: Json): Clock {
  return json.text() === 'working' ? 'working' : 'calendar'
}

/** An item as the server takes it. */
export function wireItem(item: FullItem): Record<string, unknown> {
  return {
    code: item.code, name: item.name, major: item.major, kind: item.kind, lead_department: item.lead, support_departments: item.support,
    response_minutes: item.responseMinutes, disposal_hours: item.disposalHours, clock: item.clock, xiaolianqin_key: item.key, stages: item.stages,
  }
}

/** The working calendar's table of days, as CSV. */
export function fetchCalendar(signal?: AbortSignal): Promise<string> {
  return getText('/api/v1/calendar', {}, signal)
}

/** Enters days; answers the years that were. */
export function importCalendar(file: Blob): Promise<readonly number[]> {
  return send('POST', '/api/v1/calendar', { body: file }, (json) => json.at('imported').items().map((y) => y.integer()))
}

export interface Turn {
  readonly at: number
  readonly emergency: boolean
  readonly by: string
  readonly reason: string
}

export interface Mode {
  readonly emergency: boolean
  /** The first first. */
  readonly turns: readonly Turn[]
}

export function fetchMode(signal?: AbortSignal): Promise<Mode> {
  return get('/api/v1/mode', {}, readMode, signal)
}

export function switchMode(emergency: boolean, reason: string): Promise<Mode> {
  return send('POST', '/api/v1/mode', { body: { emergency, reason } }, readMode)
}

export function readMode(json: Json): Mode {
  return {
    emergency: json.at('emergency').flag(),
    turns: json.at('turns').itemsOrNone().map((t) => ({ at: t.at('at').instant(), emergency: t.at('emergency').flag(), by: t.at('by').textOr(''), reason: t.at('reason').textOr('') })),
  }
}

export interface Standard {
  readonly code: string
  readonly version: number
  readonly from: number
  /** Empty where only the code is known. */
  readonly name: string
}

export interface Limit {
  readonly spanMs: number
  readonly clock: Clock
}

export interface DistrictRules {
  readonly version: string
  readonly coordination: readonly (Named & { readonly limit: Limit })[]
  readonly joint: readonly (Named & { readonly lead: string; readonly core: readonly string[]; readonly maxJoining: number })[]
  readonly standards: readonly Standard[]
  /** The actions that cite each standard, by its code. */
  readonly cited: ReadonlyMap<string, readonly string[]>
}

export function fetchDistrictRules(signal?: AbortSignal): Promise<DistrictRules> {
  return get('/api/v1/rules', {}, readDistrictRules, signal)
}

export function readDistrictRules(json: Json): DistrictRules {
  const named = (of: Json): Named => ({ code: of.at('code').text(), name: of.at('name').text() })
  const cited = json.at('cited')
  return {
    version: json.at('version').text(),
    coordination: json.at('coordination').itemsOrNone().map((k) => ({ ...named(k), limit: { spanMs: k.at('limit').at('span_ns').number() / 1e6, clock: readClock(k.at('limit').at('clock')) } })),
    joint: json.at('joint').itemsOrNone().map((t) => ({
      ...named(t), lead: t.at('lead').text(), core: t.at('core').itemsOrNone().map((c) => c.text()), maxJoining: t.at('max_joining').integer(),
    })),
    standards: json.at('standards').itemsOrNone().map((s) => ({ code: s.at('code').text(), version: s.at('version').integer(), from: s.at('from').instant(), name: s.at('name').textOr('') })),
    cited: new Map(cited.keys().map((code) => [code, cited.at(code).itemsOrNone().map((a) => a.text())])),
  }
}

export const STANDARDS_CSV = '/api/v1/standards'
export const CALENDAR_CSV = '/api/v1/calendar'

/** Enters versions of standards; answers how many. */
export function importStandards(file: Blob): Promise<number> {
  return send('POST', STANDARDS_CSV, { body: file }, (json) => json.at('imported').integer())
}

export interface Precedent {
  readonly case: number
  readonly item: string
  readonly at: LonLat
  readonly lead: Named
  readonly ruled: number
  readonly by: string
  readonly grid: string
}

export interface Precedents {
  readonly radiusM: number
  /** In all; the list may be shorter. */
  readonly count: number
  readonly list: readonly Precedent[]
}

export function fetchPrecedents(signal?: AbortSignal): Promise<Precedents> {
  return get('/api/v1/precedents', {}, readPrecedents, signal)
}

export function readPrecedents(json: Json): Precedents {
  return {
    radiusM: json.at('radius_m').number(),
    count: json.at('count').integer(),
    list: json.at('precedents').itemsOrNone().map((p) => ({
      case: p.at('case').integer(), item: p.at('item').text(), at: p.at('at').lonLat(),
      lead: { code: p.at('lead').at('code').text(), name: p.at('lead').at('name').textOr('') },
      ruled: p.at('ruled').instant(), by: p.at('by').textOr(''), grid: p.at('grid').textOr(''),
    })),
  }
}
