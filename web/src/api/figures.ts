/** The figures of cases, and the cases behind them. */
import { get } from './client'
import type { Json } from './decode'

export const DIMENSIONS = ['street', 'grid', 'department', 'item', 'major', 'channel', 'topic', 'month', 'day', 'hour'] as const
export type Dimension = (typeof DIMENSIONS)[number]

/** A numerator and what it is of; 0 for a count. */
export interface Counted {
  readonly numerator: number
  readonly denominator: number
}

export interface Figure extends Counted {
  /** A year earlier. */
  readonly before: Counted | null
}

/** One value of a dimension and its figures by indicator. */
export interface Line {
  readonly key: string
  readonly name: string
  readonly figures: ReadonlyMap<string, Figure>
}

export interface Definition {
  readonly code: string
  readonly name: string
  readonly text: string
  readonly count: boolean
  readonly numerator: { readonly name: string; readonly text: string }
  readonly denominator: { readonly name: string; readonly text: string } | null
  /** The same on another base; empty for none. */
  readonly beside: string
}

export interface Topic {
  readonly code: string
  readonly name: string
  readonly text: string
  readonly items: readonly string[]
}

export interface Figures {
  readonly from: number
  readonly to: number
  readonly asOf: number
  readonly rules: string
  readonly before: { readonly from: number; readonly to: number; readonly asOf: number } | null
  readonly by: ReadonlyMap<string, readonly Line[]>
  readonly indicators: readonly Definition[]
  readonly topics: readonly Topic[]
}

export function fetchFigures(query: Record<string, string>, signal?: AbortSignal): Promise<Figures> {
  return get('/api/v1/indicators', query, readFigures, signal)
}

export function readFigures(json: Json): Figures {
  const by = json.at('by')
  const before = json.at('before')
  return {
    from: json.at('from').instant(),
    to: json.at('to').instant(),
    asOf: json.at('as_of').instant(),
    rules: json.at('rules').text(),
    before: before.absent ? null : { from: before.at('from').instant(), to: before.at('to').instant(), asOf: before.at('as_of').instant() },
    by: new Map(by.keys().map((d) => [d, by.at(d).items().map(readLine)])),
    indicators: json.at('indicators').items().map((d) => ({
      code: d.at('code').text(),
      ...readWords(d),
      count: d.at('count').flag(),
      numerator: readWords(d.at('numerator')),
      denominator: d.at('denominator').absent ? null : readWords(d.at('denominator')),
      beside: d.at('beside').textOr(''),
    })),
    topics: json.at('topics').items().map((t) => ({ code: t.at('code').text(), ...readWords(t), items: t.at('items').items().map((i) => i.text()) })),
  }
}

function readLine(line: Json): Line {
  return {
    key: line.at('key').text(),
    name: line.at('name').textOr(''),
    figures: new Map(line.at('figures').items().map((f) => [f.at('indicator').text(), { ...readCounted(f), before: f.at('before').absent ? null : readCounted(f.at('before')) }])),
  }
}

function readCounted(json: Json): Counted {
  return { numerator: json.at('numerator').integer(), denominator: json.at('denominator').integer() }
}

function readWords(json: Json): { name: string; text: string } {
  return { name: json.at('name').text(), text: json.at('text').text() }
}

/** A case in the list behind a figure. */
export interface FigureCase {
  readonly id: number
  readonly state: string
  readonly channel: string
  readonly item: string
  readonly text: string
  readonly received: number
  readonly grid: string
  readonly street: string
  readonly department: string
  readonly order: string
}

export interface FigureCases {
  readonly total: number
  readonly distinct: number
  readonly withheld: number
  readonly cases: readonly FigureCase[]
  /** For the next page; 0 at the end. */
  readonly after: number
}

export type Part = 'numerator' | 'denominator'

export function fetchFigureCases(indicator: string, query: Record<string, string>, signal?: AbortSignal): Promise<FigureCases> {
  return get(casesPath(indicator), query, readFigureCases, signal)
}

function casesPath(indicator: string): string {
  return `/api/v1/indicators/${encodeURIComponent(indicator)}/cases`
}

export function readFigureCases(json: Json): FigureCases {
  return {
    total: json.at('total').integer(),
    distinct: json.at('cases_in_all').integer(),
    withheld: json.at('withheld').integer(),
    after: json.at('after').numberOr(0),
    cases: json.at('cases').items().map((c) => ({
      id: c.at('id').integer(),
      state: c.at('state').text(),
      channel: c.at('channel').text(),
      item: c.at('item').textOr(''),
      text: c.at('text').textOr(''),
      received: c.at('received').instant(),
      grid: c.at('place').at('grid_code').textOr(''),
      street: c.at('place').at('street').textOr(''),
      department: c.at('lead').absent ? '' : c.at('lead').at('name').textOr(''),
      order: c.at('order').absent ? '' : c.at('order').at('number').textOr(''),
    })),
  }
}

/** Where the browser gets figures, or the cases behind one of them, as a file. */
export function fileAddress(query: Record<string, string>, format: 'csv' | 'xlsx', indicator?: string): string {
  const search = new URLSearchParams({ ...query, format, ...(format === 'csv' ? { bom: '1' } : {}) })
  return `${indicator === undefined ? '/api/v1/indicators' : casesPath(indicator)}?${search}`
}
