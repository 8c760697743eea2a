/** Inspections: what was drawn and how, what was found, and what followed. */
import type { LonLat } from '../geometry/coord'
import type { CaseLine } from './cases'
import { readLine } from './cases'
import { get, send } from './client'
import type { Json } from './decode'
import type { Named } from './resolve'

export const INSPECTION_KINDS = ['sample', 'field', 'audit'] as const
export type InspectionKind = (typeof INSPECTION_KINDS)[number]

export const INSPECTION_STATES = ['drawn', 'under-way', 'finished'] as const
export type InspectionState = (typeof INSPECTION_STATES)[number]

export const SOURCES = ['closed', 'received', 'grids', 'names'] as const
export type Source = (typeof SOURCES)[number]

/** What each kind may draw from. */
export const SOURCES_OF: Readonly<Record<InspectionKind, readonly Source[]>> = {
  sample: ['closed', 'received'],
  field: ['grids', 'names'],
  audit: ['closed', 'received', 'grids', 'names'],
}

export const VERDICTS = ['good', 'bad', 'not-applicable'] as const
export type Verdict = (typeof VERDICTS)[number]

export const SEVERITIES = ['minor', 'major', 'grave'] as const
export type Severity = (typeof SEVERITIES)[number]

/** What may follow a finding, in the order in which it is offered. */
export const REMEDIES = ['reopen', 'rework', 'send-back', 'supervise', 'watch', 'review-watch', 'report'] as const
export type RemedyAction = (typeof REMEDIES)[number]

/** One question of a checklist. */
export interface Check {
  readonly code: string
  readonly subject: 'case' | 'place'
  /** Chinese. */
  readonly asks: string
  /** The same in English. */
  readonly asksEn: string
  /** Chinese: what it is called when it is not so. */
  readonly finding: string
  /** English. */
  readonly text: string
}

export interface Mark {
  readonly check: string
  readonly verdict: Verdict
  readonly severity?: Severity
  readonly text?: string
}

/** Instants are Unix milliseconds throughout. */
export interface Result {
  /** Which a correction names. */
  readonly seq: number
  readonly at: number
  readonly by: string
  readonly passed: boolean
  /** Metres between the item and where the inspector was; null when one is not known. */
  readonly awayM: number | null
  readonly marks: readonly Mark[]
  readonly text: string
  readonly evidence: readonly string[]
  readonly remedy: { readonly action: string; readonly case: number } | null
}

export interface InspectionItem {
  readonly number: number
  /** 0 for a place. */
  readonly case: number
  readonly name: string
  readonly unit: string
  /** Codes. */
  readonly street: string
  readonly grid: string
  readonly department: Named | null
  readonly item: string
  readonly at: LonLat | null
  readonly result: Result | null
  /** Results that were corrected, the first one first. */
  readonly earlier: readonly Result[]
}

export interface Scope {
  readonly source: Source
  readonly from: number | null
  readonly to: number | null
  readonly street: string
  readonly grid: string
  readonly department: string
  readonly items: readonly string[]
  readonly major: string
  readonly channel: string
  readonly state: string
  readonly overlay: readonly string[]
}

export interface InspectionHead {
  readonly id: number
  readonly state: InspectionState
  readonly kind: InspectionKind
  readonly title: string
  readonly scope: Scope
  readonly size: number
  readonly due: number
  readonly inspectors: readonly string[]
  readonly population: number
  readonly ordered: number
  readonly by: string
  readonly finished: number | null
  readonly items: number
  readonly checked: number
  readonly findings: number
}

export interface Drawing {
  readonly asOf: number
  readonly population: number
  readonly hash: string
  readonly seed: string
}

export interface Line {
  readonly key: string
  readonly items: number
  readonly checked: number
  readonly passed: number
}

export interface Figures {
  readonly whole: Line
  readonly streets: readonly Line[]
  readonly departments: readonly Line[]
  readonly findings: readonly { readonly check: string; readonly severity: Severity; readonly n: number }[]
  readonly remedies: ReadonlyMap<string, number>
}

export interface Inspection {
  readonly asOf: number
  readonly head: InspectionHead
  readonly drawing: Drawing
  readonly items: readonly InspectionItem[]
  readonly figures: Figures
  /** Why it was finished without some of its items. */
  readonly left: string
  readonly checks: readonly Check[]
  /** Of record, assign, finish, verify. */
  readonly may: readonly string[]
}

/** What somebody orders; what is left out does not narrow it down. */
export interface Plan {
  readonly kind: InspectionKind
  readonly title: string
  readonly source: Source
  readonly from?: string
  readonly to?: string
  readonly street?: string
  readonly grid?: string
  readonly department?: string
  readonly items?: readonly string[]
  readonly major?: string
  readonly channel?: string
  readonly state?: string
  readonly overlay?: string
  readonly places?: readonly { readonly name?: string; readonly unit?: string; readonly grid?: string; readonly lon?: number; readonly lat?: number }[]
  readonly seed?: string
  readonly size?: number
  readonly as_of?: string
  readonly due: string
  readonly inspectors?: readonly string[]
}

/** What an inspector found of one item. */
export interface Finding {
  readonly item: number
  readonly marks: readonly Mark[]
  readonly text?: string
  readonly evidence?: readonly string[]
  readonly position?: { readonly lon: number; readonly lat: number; readonly accuracy_m: number }
  readonly corrects?: number
  readonly action?: RemedyAction
  /** Of the case, as it was seen. */
  readonly seq?: number
  readonly review?: string
  readonly reply_by?: string
  readonly report?: { readonly item: string; readonly text: string; readonly position: { readonly lon: number; readonly lat: number } }
}

export interface Inspector {
  readonly login: string
  readonly name: string
}

export interface Watched {
  readonly line: CaseLine
  readonly watchOn: number
}

export interface InspectionList {
  readonly asOf: number
  readonly list: readonly InspectionHead[]
  readonly more: boolean
}

export function fetchInspections(query: Record<string, string>, signal?: AbortSignal): Promise<InspectionList> {
  return get('/api/v1/inspections', query, (json) => ({
    asOf: json.at('as_of').instant(), list: json.at('inspections').items().map(readHead), more: json.at('more').flagOr(false),
  }), signal)
}

export function fetchInspection(id: number, signal?: AbortSignal): Promise<Inspection> {
  return get(`/api/v1/inspections/${id}`, {}, readInspection, signal)
}

/** What a plan would draw from. */
export function previewInspection(plan: Plan): Promise<Drawing> {
  return send('POST', '/api/v1/inspections', { query: { dry_run: '1' }, body: plan, timeoutMs: DRAW_MS }, readDrawing)
}

export function orderInspection(plan: Plan): Promise<Inspection> {
  return send('POST', '/api/v1/inspections', { body: plan, timeoutMs: DRAW_MS }, readInspection)
}

/** A drawing from what came in reads every history of the window. */
const DRAW_MS = 60_000

/** Whether the drawing, done again now, is the same; with its population. */
export function verifyInspection(id: number, signal?: AbortSignal): Promise<{ readonly same: boolean; readonly population: number }> {
  return get(`/api/v1/inspections/${id}/verify`, {}, (json) => ({ same: json.at('same').flag(), population: json.at('again').at('population').integer() }), signal)
}

export function recordResult(id: number, finding: Finding): Promise<InspectionItem> {
  return send('POST', `/api/v1/inspections/${id}/results`, { body: finding }, (json) => readItem(json.at('item')))
}

export function assignInspection(id: number, inspectors: readonly string[]): Promise<Inspection> {
  return send('POST', `/api/v1/inspections/${id}/assign`, { body: { inspectors } }, readInspection)
}

export function finishInspection(id: number, text: string): Promise<Inspection> {
  return send('POST', `/api/v1/inspections/${id}/finish`, { body: { text } }, readInspection)
}

export function exportAddress(id: number): string {
  return `/api/v1/inspections/${id}/export`
}

/** Where a file of a result is; `thumb` is a small picture of a photo. */
export function inspectionFileAddress(id: number, name: string, thumb = false): string {
  return `/api/v1/inspections/${id}/files/${encodeURIComponent(name)}${thumb ? '?size=thumb' : ''}`
}

/** Who may inspect the whole of a street, or of the caller's jurisdiction. */
export function fetchInspectors(street: string, signal?: AbortSignal): Promise<Inspector[]> {
  return get('/api/v1/inspectors', street ? { street } : {}, (json) => json.at('inspectors').items().map((i) => ({ login: i.at('login').text(), name: i.at('name').text() })), signal)
}

export function fetchWatched(signal?: AbortSignal): Promise<{ readonly asOf: number; readonly cases: readonly Watched[] }> {
  return get('/api/v1/watchlist', {}, (json) => ({
    asOf: json.at('as_of').instant(), cases: json.at('cases').items().map((c) => ({ line: readLine(c), watchOn: c.at('watch_on').instant() })),
  }), signal)
}

/** Takes an action on a case of the watch list. */
export function reviewWatch(id: number, seq: number, text: string, review: string): Promise<void> {
  return send('POST', `/api/v1/cases/${id}/actions/review-watch`, { body: { seq, text, review } }, () => undefined)
}

function oneOf<T extends string>(json: Json, words: readonly T[]): T {
  const word = words.find((w) => w === json.value)
  if (!word) throw json.wrong(words.join(', '))
  return word
}

const texts = (json: Json): string[] => json.itemsOrNone().map((t) => t.text())

function readHead(json: Json): InspectionHead {
  const plan = json.at('plan')
  const scope = plan.at('scope')
  return {
    id: json.at('id').integer(),
    state: oneOf(json.at('state'), INSPECTION_STATES),
    kind: oneOf(plan.at('kind'), INSPECTION_KINDS),
    title: plan.at('title').text(),
    scope: {
      source: oneOf(scope.at('source'), SOURCES),
      from: scope.at('from').instantOrNull(),
      to: scope.at('to').instantOrNull(),
      street: scope.at('street').textOr(''),
      grid: scope.at('grid').textOr(''),
      department: scope.at('department').textOr(''),
      items: texts(scope.at('items')),
      major: scope.at('major').textOr(''),
      channel: scope.at('channel').textOr(''),
      state: scope.at('state').textOr(''),
      overlay: texts(scope.at('overlay')),
    },
    size: plan.at('size').numberOr(0),
    due: plan.at('due').instant(),
    inspectors: texts(json.at('inspectors')),
    population: json.at('population').integer(),
    ordered: json.at('ordered').instant(),
    by: json.at('by').text(),
    finished: json.at('finished').instantOrNull(),
    items: json.at('items').integer(),
    checked: json.at('checked').integer(),
    findings: json.at('findings').integer(),
  }
}

function readDrawing(json: Json): Drawing {
  return { asOf: json.at('as_of').instant(), population: json.at('population').integer(), hash: json.at('hash').textOr(''), seed: json.at('seed').textOr('') }
}

export function readInspection(json: Json): Inspection {
  const figures = json.at('figures')
  const remedies = figures.at('remedies')
  return {
    asOf: json.at('as_of').instant(),
    head: readHead(json.at('inspection')),
    drawing: readDrawing(json.at('drawing')),
    items: json.at('items').items().map(readItem),
    figures: {
      whole: readCount(figures.at('whole')),
      streets: figures.at('streets').itemsOrNone().map(readCount),
      departments: figures.at('departments').itemsOrNone().map(readCount),
      findings: figures.at('findings').itemsOrNone().map((f) => ({ check: f.at('check').text(), severity: oneOf(f.at('severity'), SEVERITIES), n: f.at('n').integer() })),
      remedies: new Map(remedies.keys().map((action) => [action, remedies.at(action).integer()])),
    },
    left: json.at('left').textOr(''),
    checks: json.at('checks').items().map((c) => ({
      code: c.at('code').text(), subject: oneOf(c.at('subject'), ['case', 'place'] as const), asks: c.at('asks').text(), asksEn: c.at('asks_en').text(), finding: c.at('finding').text(), text: c.at('text').text(),
    })),
    may: texts(json.at('may')),
  }
}

function readCount(json: Json): Line {
  return { key: json.at('key').text(), items: json.at('items').integer(), checked: json.at('checked').integer(), passed: json.at('passed').integer() }
}

function readItem(json: Json): InspectionItem {
  const department = json.at('department')
  return {
    number: json.at('number').integer(),
    case: json.at('case').numberOr(0),
    name: json.at('name').textOr(''),
    unit: json.at('unit').textOr(''),
    street: json.at('street').textOr(''),
    grid: json.at('grid').textOr(''),
    department: department.absent || department.at('code').textOr('') === '' ? null : { code: department.at('code').text(), name: department.at('name').textOr('') },
    item: json.at('item').textOr(''),
    at: json.at('at').absent ? null : json.at('at').lonLat(),
    result: json.at('result').absent ? null : readResult(json.at('result')),
    earlier: json.at('earlier').itemsOrNone().map(readResult),
  }
}

function readResult(json: Json): Result {
  const remedy = json.at('remedy')
  return {
    seq: json.at('seq').integer(),
    at: json.at('at').instant(),
    by: json.at('by').text(),
    passed: json.at('passed').flag(),
    awayM: json.at('away_m').absent ? null : json.at('away_m').number(),
    marks: json.at('marks').items().map((m) => ({
      check: m.at('check').text(),
      verdict: oneOf(m.at('verdict'), VERDICTS),
      ...(m.at('severity').textOr('') ? { severity: oneOf(m.at('severity'), SEVERITIES) } : {}),
      ...(m.at('text').textOr('') ? { text: m.at('text').text() } : {}),
    })),
    text: json.at('text').textOr(''),
    evidence: texts(json.at('evidence')),
    remedy: remedy.absent ? null : { action: remedy.at('action').text(), case: remedy.at('case').integer() },
  }
}
