/** One unit: how it is, where it was, what happened to it. Instants are Unix milliseconds. */
import type { LonLat } from '../geometry/coord'
import { get } from './client'
import type { Json } from './decode'
import type { Device } from './devices'
import { readDevice } from './devices'
import type { Shift } from './roster'
import { readShift } from './roster'
import type { Unit } from './units'
import { oneOf, readUnit, unitPath } from './units'

export interface GridName {
  readonly id: number
  readonly code: string
  readonly name: string
}

const PRESENCES = ['off-duty', 'unheard', 'online', 'silent'] as const

export interface UnitState {
  readonly presence: (typeof PRESENCES)[number]
  readonly at: number | null
  readonly position: LonLat | null
  readonly accuracyM: number | null
  readonly speedMps: number | null
  readonly batteryPct: number | null
  readonly source: string
  readonly grid: GridName | null
  readonly raw: GridName | null
  readonly since: number | null
  readonly sos: boolean
  readonly suspectDatum: boolean
}

/** What the caller may know about a unit. */
export interface UnitPage {
  readonly unit: Unit
  readonly state: UnitState | null
  readonly shifts: readonly Shift[]
  readonly devices: readonly Device[]
}

export interface Trip {
  readonly from: number
  readonly to: number
  readonly lengthM: number
  readonly line: readonly LonLat[]
}

export interface Stop {
  readonly from: number
  readonly to: number
  readonly at: LonLat
}

/** A track in order of time: a place, a moment, a speed and an accuracy for every fix. */
export interface Track {
  readonly line: readonly LonLat[]
  readonly times: readonly number[]
  readonly speedsMps: readonly (number | null)[]
  readonly accuraciesM: readonly (number | null)[]
  readonly trips: readonly Trip[]
  readonly stops: readonly Stop[]
}

export const EVENT_KINDS = ['crossed', 'silent', 'back', 'sos', 'datum'] as const
export type EventKind = (typeof EVENT_KINDS)[number]

export interface Evidence {
  readonly at: number
  readonly accuracyM: number
  readonly borderM: number
}

export interface PatrolEvent {
  readonly id: number
  readonly kind: EventKind
  readonly at: number
  readonly recorded: number
  readonly from: GridName | null
  readonly to: GridName | null
  /** Which of the rules made it. */
  readonly rule: string
  readonly evidence: readonly Evidence[]
  /** The event that this one stands for; 0 for none. */
  readonly corrects: number
  readonly retracted: number | null
}

export function fetchUnit(code: string, signal?: AbortSignal): Promise<UnitPage> {
  return get(unitPath(code), {}, readUnitPage, signal)
}

export function fetchTrack(code: string, from: number, to: number, signal?: AbortSignal): Promise<Track> {
  return get(`${unitPath(code)}/track`, { ...between(from, to), format: 'geojson' }, readTrack, signal)
}

/** Where the track is as a file. */
export function trackFile(code: string, from: number, to: number, format: 'gpx' | 'csv' | 'geojson'): string {
  return `${unitPath(code)}/track?${new URLSearchParams({ ...between(from, to), format })}`
}

export function fetchEvents(code: string, from: number, to: number, retracted: boolean, signal?: AbortSignal): Promise<PatrolEvent[]> {
  const query = { ...between(from, to), unit: code, limit: '2000', ...(retracted ? { retracted: '1' } : {}) }
  return get('/api/v1/events', query, readEvents, signal)
}

const between = (from: number, to: number): { from: string; to: string } => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() })

export function readUnitPage(json: Json): UnitPage {
  const state = json.at('state')
  return {
    unit: readUnit(json.at('unit')),
    state: state.absent ? null : readState(state),
    shifts: json.at('shifts').itemsOrNone().map(readShift),
    devices: json.at('devices').itemsOrNone().map(readDevice),
  }
}

const numberOrNull = (json: Json): number | null => (json.absent ? null : json.number())

function readState(json: Json): UnitState {
  return {
    presence: oneOf(json.at('presence'), PRESENCES),
    at: json.at('at').instantOrNull(),
    position: json.at('position').absent ? null : json.at('position').lonLat(),
    accuracyM: numberOrNull(json.at('accuracy_m')),
    speedMps: numberOrNull(json.at('speed_mps')),
    batteryPct: numberOrNull(json.at('battery_pct')),
    source: json.at('source').textOr(''),
    grid: readGridName(json.at('grid')),
    raw: readGridName(json.at('raw')),
    since: json.at('since').instantOrNull(),
    sos: json.at('sos').flagOr(false),
    suspectDatum: json.at('suspect_datum').flagOr(false),
  }
}

function readGridName(json: Json): GridName | null {
  return json.absent ? null : { id: json.at('id').integer(), code: json.at('code').textOr(''), name: json.at('name').textOr('') }
}

export function readTrack(json: Json): Track {
  const of = (kind: string): Json[] => json.at('features').items().filter((f) => f.at('properties').at('kind').value === kind)
  const [whole] = of('track')
  const line = whole ? readLine(whole.at('geometry')) : []
  const column = (name: string): (number | null)[] => (whole ? whole.at('properties').at(name).items().map(numberOrNull) : [])
  const times = whole ? whole.at('properties').at('times').integersOrNone() : []
  if (times.length !== line.length) throw json.wrong('a time for every place')
  return {
    line,
    times,
    speedsMps: column('speed_mps'),
    accuraciesM: column('accuracy_m'),
    trips: of('trip').map((f) => ({ ...readSpan(f), lengthM: f.at('properties').at('length_m').number(), line: readLine(f.at('geometry')) })),
    stops: of('stop').map((f) => ({ ...readSpan(f), at: f.at('geometry').at('coordinates').lonLat() })),
  }
}

function readSpan(feature: Json): { from: number; to: number } {
  return { from: feature.at('properties').at('from').instant(), to: feature.at('properties').at('to').instant() }
}

/** A track of one fix is a point. */
function readLine(geometry: Json): LonLat[] {
  const at = geometry.at('coordinates')
  return geometry.at('type').text() === 'Point' ? [at.lonLat()] : at.items().map((p) => p.lonLat())
}

export function readEvents(json: Json): PatrolEvent[] {
  return json.at('events').itemsOrNone().map((e) => ({
    id: e.at('id').integer(),
    kind: oneOf(e.at('kind'), EVENT_KINDS),
    at: e.at('at').instant(),
    recorded: e.at('recorded').instant(),
    from: readGridName(e.at('from')),
    to: readGridName(e.at('to')),
    rule: e.at('rule').textOr(''),
    evidence: e.at('evidence').itemsOrNone().map((v) => ({
      at: v.at('at').integer(),
      accuracyM: v.at('accuracy_m').numberOr(0),
      borderM: v.at('border_m').numberOr(0),
    })),
    corrects: e.at('corrects').numberOr(0),
    retracted: e.at('retracted').instantOrNull(),
  }))
}
