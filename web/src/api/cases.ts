/** Cases: their queues, what is due, what became of each, and what may be done. */
import type { LonLat } from '../geometry/coord'
import { get, send } from './client'
import type { Json } from './decode'
import type { Named } from './resolve'

export const STATES = ['reported', 'to-verify', 'accepted', 'not-accepted', 'filed', 'not-filed', 'dispatched', 'returned', 'in-disposal', 'to-check', 'closed', 'void'] as const
export type State = (typeof STATES)[number]

/** The states in which somebody still has to do something, in the order of a case that goes well. */
export const OPEN_STATES = ['reported', 'to-verify', 'accepted', 'filed', 'dispatched', 'returned', 'in-disposal', 'to-check'] as const satisfies readonly State[]

/** What lies over a state; the place of each is its bit. */
export const OVERLAYS = [
  'verified', 'self-handled', 'checked', 'extension-asked', 'extended', 'extended-twice', 'suspension-asked', 'suspended',
  'supervised', 'coordination', 'escalated', 'watched', 'reopened', 'order-finished',
] as const
export type Overlay = (typeof OVERLAYS)[number]

export const CHANNELS = ['patrol', 'village', 'public', '12345', 'emergency'] as const
export type Channel = (typeof CHANNELS)[number]

/** Instants are Unix milliseconds throughout, and spans milliseconds. */
export interface Due {
  readonly clock: string
  readonly stage: string
  readonly at: number
}

export interface CasePlace {
  readonly at: LonLat
  readonly accuracyM: number
  readonly address: string
  readonly generation: number
  /** Code; empty outside every grid. */
  readonly grid: string
  readonly street: string
}

/** A work order of the 12345 hotline, with its own clock. */
export interface Order {
  readonly number: string
  readonly days: number
  readonly due: number
  readonly provisional: boolean
  readonly finished: number | null
  readonly answer: string
}

/** A case in a queue. */
export interface CaseLine {
  readonly id: number
  /** How many entries its history has: what an action refers to. */
  readonly seq: number
  readonly state: State
  readonly overlays: readonly Overlay[]
  readonly channel: string
  readonly item: string
  readonly key: boolean
  readonly text: string
  readonly received: number
  /** Null where nobody could say. */
  readonly place: CasePlace | null
  readonly lead: Named | null
  readonly order: Order | null
  readonly next: Due | null
  /** Names of the actions that the caller may take. */
  readonly allowed: readonly string[]
}

/** Cases by their numbers, at most 100. */
export function fetchLines(ids: readonly number[], signal?: AbortSignal): Promise<CaseLine[]> {
  return get('/api/v1/cases', { ids: ids.join(',') }, (json) => json.at('cases').items().map(readLine), signal)
}

/** A page of a queue. */
export interface LinePage {
  readonly lines: readonly CaseLine[]
  /** Of the next page; empty after the last. */
  readonly after: string
}

/** A page of what `query` asks for: what is over, which no index has, comes the newest first. */
export function fetchPage(query: Record<string, string>, signal?: AbortSignal): Promise<LinePage> {
  return get('/api/v1/cases', query, (json) => ({ lines: json.at('cases').items().map(readLine), after: json.at('after').textOr('') }), signal)
}

export function readLine(json: Json): CaseLine {
  return {
    id: json.at('id').integer(),
    seq: json.at('seq').integer(),
    state: readState(json.at('state')),
    overlays: readOverlays(json.at('overlays')),
    channel: json.at('channel').textOr(''),
    item: json.at('item').textOr(''),
    key: json.at('xiaolianqin_key').flagOr(false),
    text: json.at('text').textOr(''),
    received: json.at('received').instant(),
    place: readPlace(json.at('place')),
    lead: readDepartment(json.at('lead')),
    order: json.at('order').absent ? null : readOrder(json.at('order')),
    next: json.at('next').absent ? null : readDue(json.at('next')),
    allowed: json.at('allowed').itemsOrNone().map((name) => name.text()),
  }
}

export function readState(json: Json): State {
  const state = STATES.find((s) => s === json.value)
  if (!state) throw json.wrong(STATES.join(', '))
  return state
}

function readOverlays(json: Json): Overlay[] {
  const names = json.itemsOrNone().map((name) => name.text())
  return OVERLAYS.filter((o) => names.includes(o))
}

function readDue(json: Json): Due {
  return { clock: json.at('clock').text(), stage: json.at('stage').textOr(''), at: json.at('at').instant() }
}

/** A place without a generation is none: nobody has said where it is. */
function readPlace(json: Json): CasePlace | null {
  const generation = json.absent ? 0 : json.at('generation').numberOr(0)
  if (generation === 0) return null
  return {
    at: json.at('at').lonLat(),
    accuracyM: json.at('accuracy_m').numberOr(0),
    address: json.at('address').textOr(''),
    generation,
    grid: json.at('grid_code').textOr(''),
    street: json.at('street').textOr(''),
  }
}

/** A department without a code is none. */
function readDepartment(json: Json): Named | null {
  if (json.absent || json.at('code').textOr('') === '') return null
  return { code: json.at('code').text(), name: json.at('name').textOr('') }
}

function readOrder(json: Json): Order {
  return {
    number: json.at('number').text(),
    days: json.at('days').integer(),
    due: json.at('due').instant(),
    provisional: json.at('provisional').flagOr(false),
    finished: json.at('finished').instantOrNull(),
    answer: json.at('answer').textOr(''),
  }
}

/** How many cases stand in a state, how many of them are late, and how many near it. */
export interface StateCount {
  readonly cases: number
  readonly overdue: number
  readonly near: number
}

export interface Counts extends StateCount {
  readonly asOf: number
  readonly states: ReadonlyMap<State, StateCount>
  readonly overlays: ReadonlyMap<Overlay, number>
}

/** The counts of what `query` asks for. */
export function fetchCounts(query: Record<string, string>, signal?: AbortSignal): Promise<Counts> {
  return get('/api/v1/cases/counts', query, readCounts, signal)
}

export function readCounts(json: Json): Counts {
  const count = (of: Json): StateCount => ({ cases: of.at('cases').integer(), overdue: of.at('overdue').integer(), near: of.at('near').integer() })
  const overlays = json.at('overlays')
  return {
    ...count(json),
    asOf: json.at('as_of').instant(),
    states: new Map(json.at('states').items().map((of) => [readState(of.at('state')), count(of)])),
    overlays: new Map(OVERLAYS.filter((o) => !overlays.at(o).absent).map((o) => [o, overlays.at(o).integer()])),
  }
}

/** A clock of a case: running, or paused, or stopped, or cancelled. */
export interface Timer {
  readonly clock: string
  readonly limitMs: number
  /** Only working hours count. */
  readonly working: boolean
  readonly started: number
  readonly running: boolean
  readonly stopped: number | null
  readonly cancelled: boolean
  /** Time on it before it was last started or stopped, by its own hours. */
  readonly usedMs: number
  /** Every due time that it was given; the last one holds. */
  readonly dues: readonly { readonly at: number; readonly set: number; readonly why: string; readonly provisional: boolean }[]
  readonly stages: readonly { readonly name: string; readonly due: number; readonly done: number | null }[]
}

export interface Candidate {
  /** Id of the grid, which an answer names; 0 is outside the district. */
  readonly grid: number
  readonly gridCode: string
  readonly gridName: string
  readonly street: string
  /** Of the circle of accuracy, (0, 1]. */
  readonly share: number
  readonly lead: Named | null
}

/** To whom a case goes, and why. */
export interface Assignment {
  readonly lead: Named
  readonly support: readonly Named[]
  readonly why: {
    readonly basis: string
    readonly generation: number
    readonly gridCode: string
    readonly street: string
    readonly borderM: number
    readonly accuracyM: number
    readonly item: string
    readonly catalogue: number
    /** Lead department in the catalogue's row. */
    readonly row: string
    /** The case that was ruled on; 0 for none. */
    readonly precedent: number
    readonly centre: string
    readonly others: readonly Candidate[]
    readonly note: string
  }
}

/** To whom a case would go, or between which grids somebody has to choose. */
export interface Dispatch {
  readonly assignment: Assignment | null
  readonly candidates: readonly Candidate[]
}

export interface Joint {
  readonly template: string
  readonly lead: string
  readonly core: readonly string[]
  readonly joining: readonly string[]
}

/** One line of a case's history. */
export interface Entry {
  readonly seq: number
  readonly at: number
  readonly by: { readonly id: string; readonly role: string; readonly department: string }
  readonly action: string
  readonly from: string
  readonly to: State
  readonly sets: readonly Overlay[]
  readonly clears: readonly Overlay[]
  /** Code and version of the standard that it follows. */
  readonly standard: string
  readonly text: string
  readonly evidence: readonly string[]
  readonly writing: string
  readonly item: string
  readonly assignment: Assignment | null
  readonly review: number | null
  readonly replyBy: number | null
  readonly extraMs: number
  readonly kind: string
  readonly stage: string
  readonly joint: Joint | null
  readonly duplicateOf: number
}

/** An action that the caller may take, with what it needs. */
export interface Allowed {
  readonly action: string
  /** In Chinese, as the life cycle has it. */
  readonly name: string
  readonly to: string
  readonly needs: readonly string[]
  readonly standard: string
}

export interface Case {
  readonly id: number
  readonly seq: number
  readonly state: State
  readonly overlays: readonly Overlay[]
  readonly channel: string
  readonly emergency: boolean
  readonly captured: number
  readonly received: number
  readonly text: string
  readonly item: string
  readonly key: boolean
  readonly place: CasePlace | null
  /** Code of the street whose centre has it; empty is the district's. */
  readonly centre: string
  readonly order: Order | null
  readonly evidence: readonly string[]
  readonly review: number | null
  readonly watchOn: number | null
  readonly duplicateOf: number
  readonly cycle: number
  readonly lead: Named | null
  readonly support: readonly Named[]
  readonly why: Assignment | null
  readonly joint: Joint | null
  readonly timers: readonly Timer[]
}

/** One case as the caller sees it. */
export interface CasePage {
  readonly case: Case
  readonly next: Due | null
  readonly history: readonly Entry[]
  readonly allowed: readonly Allowed[]
  readonly dispatch: Dispatch | null
  /** Who else looks at it just now. */
  readonly viewing: readonly string[]
}

export function fetchCase(id: number, signal?: AbortSignal): Promise<CasePage> {
  return get(`/api/v1/cases/${id}`, {}, readCasePage, signal)
}

export function readCasePage(json: Json): CasePage {
  return {
    case: readCase(json.at('case')),
    next: json.at('next').absent ? null : readDue(json.at('next')),
    history: json.at('history').items().map(readEntry),
    allowed: json.at('allowed').itemsOrNone().map((a) => ({
      action: a.at('action').text(),
      name: a.at('name').text(),
      to: a.at('to').textOr(''),
      needs: a.at('needs').itemsOrNone().map((n) => n.text()),
      standard: a.at('standard').textOr(''),
    })),
    dispatch: readDispatch(json.at('dispatch')),
    viewing: json.at('viewing').itemsOrNone().map((name) => name.text()),
  }
}

function readCase(json: Json): Case {
  const cycle = json.at('cycle')
  return {
    id: json.at('id').integer(),
    seq: json.at('seq').integer(),
    state: readState(json.at('state')),
    overlays: readOverlays(json.at('overlays')),
    channel: json.at('channel').textOr(''),
    emergency: json.at('emergency').flagOr(false),
    captured: json.at('captured').instant(),
    received: json.at('received').instant(),
    text: json.at('text').textOr(''),
    item: json.at('item').textOr(''),
    key: json.at('class').absent ? false : json.at('class').at('xiaolianqin_key').flagOr(false),
    place: readPlace(json.at('place')),
    centre: json.at('centre').textOr(''),
    order: json.at('order').absent ? null : readOrder(json.at('order')),
    evidence: texts(json.at('evidence')),
    review: json.at('review').instantOrNull(),
    watchOn: json.at('watch_on').instantOrNull(),
    duplicateOf: json.at('duplicate_of').numberOr(0),
    cycle: cycle.at('number').integer(),
    lead: readDepartment(cycle.at('lead')),
    support: cycle.at('support').itemsOrNone().map(readDepartment).filter((d) => d !== null),
    why: cycle.at('why').absent ? null : readAssignment(cycle.at('why')),
    joint: cycle.at('joint').absent ? null : readJoint(cycle.at('joint')),
    timers: cycle.at('clocks').itemsOrNone().map(readTimer),
  }
}

function texts(json: Json): string[] {
  return json.itemsOrNone().map((text) => text.text())
}

/** Nanoseconds on the wire. */
function span(json: Json): number {
  return Math.round(json.numberOr(0) / 1e6)
}

function readTimer(json: Json): Timer {
  return {
    clock: json.at('name').text(),
    limitMs: span(json.at('limit').at('span_ns')),
    working: json.at('limit').at('clock').textOr('') === 'working',
    started: json.at('started').instant(),
    running: json.at('since').instantOrNull() !== null,
    stopped: json.at('stopped').instantOrNull(),
    cancelled: json.at('cancelled').flagOr(false),
    usedMs: span(json.at('used_ns')),
    dues: json.at('dues').items().map((due) => ({
      at: due.at('at').instant(), set: due.at('set').instant(), why: due.at('why').text(), provisional: due.at('provisional').flagOr(false),
    })),
    stages: json.at('stages').itemsOrNone().map((stage) => ({ name: stage.at('name').text(), due: stage.at('due').instant(), done: stage.at('done').instantOrNull() })),
  }
}

function readEntry(json: Json): Entry {
  const by = json.at('by')
  const input = json.at('input').absent ? null : json.at('input')
  const intake = input?.at('intake')
  return {
    seq: json.at('seq').integer(),
    at: json.at('at').instant(),
    by: { id: by.at('id').textOr(''), role: by.at('role').textOr(''), department: by.at('department').textOr('') },
    action: json.at('action').text(),
    from: json.at('from').textOr(''),
    to: readState(json.at('to')),
    sets: readOverlays(json.at('sets')),
    clears: readOverlays(json.at('clears')),
    standard: json.at('standard').textOr(''),
    text: (intake && !intake.absent ? intake.at('text').textOr('') : '') || (input?.at('text').textOr('') ?? ''),
    evidence: input ? texts(input.at('evidence')) : [],
    writing: input?.at('writing').textOr('') ?? '',
    item: input?.at('item').textOr('') ?? '',
    assignment: input && !input.at('assignment').absent ? readAssignment(input.at('assignment')) : null,
    review: input?.at('review').instantOrNull() ?? null,
    replyBy: input?.at('reply_by').instantOrNull() ?? null,
    extraMs: input ? span(input.at('extra_ns')) : 0,
    kind: input?.at('kind').textOr('') ?? '',
    stage: input?.at('stage').textOr('') ?? '',
    joint: input && !input.at('joint').absent ? readJoint(input.at('joint')) : null,
    duplicateOf: input?.at('duplicate_of').numberOr(0) ?? 0,
  }
}

function readJoint(json: Json): Joint {
  return { template: json.at('template').text(), lead: json.at('lead').textOr(''), core: texts(json.at('core')), joining: texts(json.at('joining')) }
}

function readDispatch(json: Json): Dispatch | null {
  if (json.absent) return null
  return {
    assignment: json.at('assignment').absent ? null : readAssignment(json.at('assignment')),
    candidates: json.at('candidates').itemsOrNone().map(readCandidate),
  }
}

function readAssignment(json: Json): Assignment {
  const why = json.at('why')
  return {
    lead: readDepartment(json.at('lead')) ?? { code: '', name: '' },
    support: json.at('support').itemsOrNone().map(readDepartment).filter((d) => d !== null),
    why: {
      basis: why.at('basis').textOr(''),
      generation: why.at('generation').numberOr(0),
      gridCode: why.at('grid_code').textOr(''),
      street: why.at('street').textOr(''),
      borderM: why.at('border_m').numberOr(0),
      accuracyM: why.at('accuracy_m').numberOr(0),
      item: why.at('item').textOr(''),
      catalogue: why.at('catalogue').numberOr(0),
      row: why.at('row').textOr(''),
      precedent: why.at('precedent').numberOr(0),
      centre: why.at('centre').textOr(''),
      others: why.at('others').itemsOrNone().map(readCandidate),
      note: why.at('note').textOr(''),
    },
  }
}

export function readCandidate(json: Json): Candidate {
  return {
    grid: json.at('grid').integer(),
    gridCode: json.at('grid_code').textOr(''),
    gridName: json.at('grid_name').textOr(''),
    street: json.at('street').textOr(''),
    share: json.at('share').number(),
    lead: readDepartment(json.at('lead')),
  }
}

/** Who reported a case; the audit chain says who asked. */
export function fetchReporter(id: number): Promise<{ name: string; contact: string }> {
  return get(`/api/v1/cases/${id}/reporter`, {}, (json) => ({ name: json.at('name').textOr(''), contact: json.at('contact').textOr('') }))
}

/** Takes an action on a case as the caller has seen it: `body` has its seq. */
export function act(id: number, action: string, body: Record<string, unknown>): Promise<CasePage> {
  return send('POST', `/api/v1/cases/${id}/actions/${action}`, { body }, readCasePage)
}

/** Another case that may be the same. */
export interface Hint {
  readonly id: number
  readonly state: State
  readonly distanceM: number
  readonly apartMs: number
}

export interface Opened {
  readonly id: number
  readonly dispatch: Dispatch | null
  readonly duplicates: readonly Hint[]
}

/** Reports a case. */
export function openCase(body: Record<string, unknown>): Promise<Opened> {
  return send('POST', '/api/v1/cases', { body }, (json) => ({
    id: json.at('case').at('id').integer(),
    dispatch: readDispatch(json.at('dispatch')),
    duplicates: json.at('duplicates').itemsOrNone().map((hint) => ({
      id: hint.at('case').integer(), state: readState(hint.at('state')), distanceM: hint.at('distance_m').number(), apartMs: span(hint.at('apart_ns')),
    })),
  }))
}

/** What became of one case of a batch. */
export interface BatchResult {
  readonly done: readonly { readonly id: number; readonly seq: number }[]
  readonly refused: readonly { readonly id: number; readonly detail: string }[]
}

/** The most that one batch takes. */
export const BATCH = 200

/** Takes one action on each of `cases`, each on its own; at most BATCH. */
export function actOnAll(action: string, cases: readonly { readonly id: number; readonly seq: number }[], body: Record<string, unknown>): Promise<BatchResult> {
  return send('POST', `/api/v1/cases/actions/${action}`, { body: { ...body, cases }, timeoutMs: 60_000 }, (json) => ({
    done: json.at('done').itemsOrNone().map((one) => ({ id: one.at('id').integer(), seq: one.at('seq').integer() })),
    refused: json.at('refused').itemsOrNone().map((one) => ({
      id: one.at('id').integer(), detail: one.at('error').at('detail').textOr('') || one.at('error').at('title').textOr(''),
    })),
  }))
}

/** Says that the caller looks at a case, to be said again within 45 s. */
export function tellViewing(id: number): Promise<void> {
  return send('PUT', `/api/v1/cases/${id}/viewing`, {}, () => undefined)
}

export function stopViewing(id: number): Promise<void> {
  return send('DELETE', `/api/v1/cases/${id}/viewing`, {}, () => undefined)
}

/** A filter that an account has kept, as the query of a queue. */
export interface SavedFilter {
  readonly name: string
  readonly query: string
}

export function fetchFilters(signal?: AbortSignal): Promise<SavedFilter[]> {
  return get('/api/v1/filters', {}, (json) => json.at('filters').itemsOrNone().map((f) => ({ name: f.at('name').text(), query: f.at('query').textOr('') })), signal)
}

export function saveFilter({ name, query }: SavedFilter): Promise<void> {
  return send('PUT', `/api/v1/filters/${encodeURIComponent(name)}`, { body: { query } }, () => undefined)
}

export function removeFilter(name: string): Promise<void> {
  return send('DELETE', `/api/v1/filters/${encodeURIComponent(name)}`, {}, () => undefined)
}
