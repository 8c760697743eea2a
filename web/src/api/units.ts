import { get, send } from './client'
import type { Json } from './decode'

export const UNIT_KINDS = ['grid-patrol', 'mobile-patrol', 'vehicle'] as const
export type UnitKind = (typeof UNIT_KINDS)[number]

export const DUTIES = ['roster', 'always'] as const
export type Duty = (typeof DUTIES)[number]

/** A patrol member or vehicle. */
export interface Unit {
  /** As in frames. */
  readonly id: number
  readonly code: string
  /** Empty for who may not know it. */
  readonly name: string
  readonly kind: UnitKind
  /** Codes; a team may be none. */
  readonly team: string
  readonly street: string
  /** Codes of the grids assigned. */
  readonly grids: readonly string[]
  readonly duty: Duty
  /** Unix milliseconds; null while it serves. */
  readonly retired: number | null
}

export interface Team {
  readonly code: string
  readonly name: string
  readonly street: string
}

/** Who patrols, as the caller may know it. */
export interface Roll {
  readonly revision: number
  readonly units: readonly Unit[]
  readonly teams: readonly Team[]
}

/** What of a unit is to change; what is left out stays. */
export interface UnitChange {
  readonly name?: string
  readonly kind?: UnitKind
  readonly team?: string
  readonly street?: string
  readonly grids?: readonly string[]
  readonly duty?: Duty
  readonly retired?: boolean
}

/** What an import did. */
export interface Imported {
  readonly created: number
  readonly changed: number
  readonly same: number
}

/** One bad cell of a file; the whole row where `column` is empty. */
export interface CellFault {
  readonly line: number
  readonly column: string
  readonly value: string
  readonly detail: string
}

/** Everything that is wrong with a file: the first faults, and how many there are. */
export interface CellFaults {
  readonly faults: readonly CellFault[]
  readonly count: number
}

export async function fetchRoll(signal?: AbortSignal): Promise<Roll> {
  const [units, teams] = await Promise.all([
    get('/api/v1/units', { retired: '1' }, (json) => ({ revision: json.at('revision').integer(), units: json.at('units').itemsOrNone().map(readUnit) }), signal),
    get('/api/v1/teams', {}, (json) => json.at('teams').itemsOrNone().map(readTeam), signal),
  ])
  return { ...units, teams }
}

export function createUnit(code: string, change: UnitChange): Promise<Unit> {
  return send('POST', '/api/v1/units', { body: { code, ...change } }, readUnit)
}

export function changeUnit(code: string, change: UnitChange): Promise<Unit> {
  return send('PATCH', unitPath(code), { body: change }, readUnit)
}

/** Enters a team, or renames the one of that code. */
export function enterTeam(team: Team): Promise<void> {
  return send('POST', '/api/v1/teams', { body: team }, () => undefined)
}

/** Enters a file of teams. */
export function importTeams(file: Blob): Promise<number> {
  return send('POST', '/api/v1/teams', { body: file, timeoutMs: 60_000 }, (json) => json.at('teams').items().length)
}

/** Enters a file of units, whole or not at all. */
export function importUnits(file: Blob): Promise<Imported> {
  return send('POST', '/api/v1/units/import', { body: file, timeoutMs: 60_000 }, readImported)
}

export const unitPath = (code: string): string => `/api/v1/units/${encodeURIComponent(code)}`

export function readImported(json: Json): Imported {
  return { created: json.at('created').integer(), changed: json.at('changed').integer(), same: json.at('same').integer() }
}

/** What a problem document says of a file's cells; null when it says nothing. */
export function readCellFaults(json: Json): CellFaults | null {
  const errors = json.at('errors')
  if (errors.absent) return null
  const faults = errors.items().map((f) => ({
    line: f.at('line').integer(),
    column: f.at('column').textOr(''),
    value: f.at('value').textOr(''),
    detail: f.at('detail').text(),
  }))
  return { faults, count: json.at('error_count').numberOr(faults.length) }
}

export function readUnit(json: Json): Unit {
  return {
    id: json.at('id').integer(),
    code: json.at('code').text(),
    name: json.at('name').textOr(''),
    kind: oneOf(json.at('kind'), UNIT_KINDS),
    team: json.at('team').textOr(''),
    street: json.at('street').textOr(''),
    grids: json.at('grids').itemsOrNone().map((code) => code.text()),
    duty: oneOf(json.at('duty'), DUTIES),
    retired: json.at('retired').instantOrNull(),
  }
}

function readTeam(json: Json): Team {
  return { code: json.at('code').text(), name: json.at('name').textOr(''), street: json.at('street').textOr('') }
}

export function oneOf<T extends string>(json: Json, names: readonly T[]): T {
  const text = json.text()
  const known = names.find((name) => name === text)
  if (known === undefined) throw json.wrong(names.join(', '))
  return known
}
