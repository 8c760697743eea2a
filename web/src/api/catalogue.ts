/** What cases are about, who answers for it, and what the district sets for its casework. */
import { get } from './client'
import type { Json } from './decode'
import type { Named } from './resolve'

export interface Item {
  readonly code: string
  readonly name: string
  readonly major: Named
  readonly lead: string
  readonly responseMinutes: number
  readonly disposalHours: number
  readonly working: boolean
  readonly key: boolean
}

export interface Catalogue {
  readonly version: number
  readonly items: readonly Item[]
  /** Rows of the table of departments; those of streets are templates. */
  readonly departments: readonly (Named & { readonly level: string })[]
}

/** The version in force. */
export function fetchCatalogue(signal?: AbortSignal): Promise<Catalogue> {
  return get('/api/v1/catalogue', {}, readCatalogue, signal)
}

export function readCatalogue(json: Json): Catalogue {
  return {
    version: json.at('number').integer(),
    items: json.at('items').items().map((item) => ({
      code: item.at('code').text(),
      name: item.at('name').text(),
      major: { code: item.at('major').at('code').text(), name: item.at('major').at('name').text() },
      lead: item.at('lead_department').textOr(''),
      responseMinutes: item.at('response_minutes').integer(),
      disposalHours: item.at('disposal_hours').integer(),
      working: item.at('clock').textOr('') === 'working',
      key: item.at('xiaolianqin_key').flagOr(false),
    })),
    departments: json.at('departments').items().map((d) => ({ code: d.at('code').text(), name: d.at('name').text(), level: d.at('level').textOr('') })),
  }
}

export interface JointTemplate extends Named {
  readonly lead: string
  readonly core: readonly string[]
  readonly maxJoining: number
}

export interface Rules {
  readonly orderDays: readonly number[]
  readonly coordination: readonly Named[]
  readonly joint: readonly JointTemplate[]
  /** Every version of the standards that work follows; the name is empty where only the code is known. */
  readonly standards: readonly (Named & { readonly version: number })[]
}

export function fetchRules(signal?: AbortSignal): Promise<Rules> {
  return get('/api/v1/rules', {}, readRules, signal)
}

export function readRules(json: Json): Rules {
  const named = (of: Json): Named => ({ code: of.at('code').text(), name: of.at('name').text() })
  return {
    orderDays: json.at('order_days').itemsOrNone().map((n) => n.integer()),
    coordination: json.at('coordination').itemsOrNone().map(named),
    joint: json.at('joint').itemsOrNone().map((t) => ({
      ...named(t), lead: t.at('lead').text(), core: t.at('core').itemsOrNone().map((c) => c.text()), maxJoining: t.at('max_joining').numberOr(0),
    })),
    standards: json.at('standards').itemsOrNone().map((s) => ({ code: s.at('code').text(), name: s.at('name').textOr(''), version: s.at('version').integer() })),
  }
}
