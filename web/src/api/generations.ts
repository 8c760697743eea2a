import type { Bounds, LonLat } from '../geometry/coord'
import { get, send } from './client'
import { Json } from './decode'
import type { ApiFault } from './fault'

export type Status = 'draft' | 'checked' | 'scheduled' | 'in-force' | 'superseded'

export interface Finding {
  /** Whether it keeps the generation from being published. */
  readonly refuses: boolean
  /** Code of the grid it is about, or empty. */
  readonly grid: string
  readonly detail: string
}

export interface Check {
  /** The generation compared with; 0 for none. */
  readonly base: number
  readonly at: number
  readonly by: string
  readonly sound: boolean
  readonly findings: readonly Finding[]
}

export interface Generation {
  readonly number: number
  readonly name: string
  readonly note: string
  readonly author: string
  /** Unix milliseconds. */
  readonly imported: number
  readonly hash: string
  readonly grids: number
  readonly status: Status
  /** Brings back this earlier generation; 0 for none. */
  readonly again: number
  readonly check: Check | null
}

/** A time [from, to) during which a generation is in force; a null `to` is open. */
export interface Term {
  readonly generation: number
  readonly from: number
  readonly to: number | null
  readonly by: string
}

export interface Generations {
  readonly generations: readonly Generation[]
  /** By `from`, never overlapping. */
  readonly schedule: readonly Term[]
  readonly revision: number
}

export type ChangeKind = 'same' | 'redrawn' | 'split' | 'merged' | 'new' | 'gone'

export interface Part {
  readonly code: string
  readonly areaM2: number
  readonly share: number
}

export interface GridChange {
  readonly id: number
  readonly code: string
  readonly name: string
  /** `same`: only attributes differ. */
  readonly kind: ChangeKind
  readonly baseAreaM2: number
  readonly areaM2: number
  readonly attributes: readonly { readonly name: string; readonly from: string; readonly to: string }[]
  /** Whose land it has now, or who has the land of a grid that is gone. */
  readonly parts: readonly Part[]
}

export interface Diff {
  readonly base: number
  readonly next: number
  readonly grids: readonly GridChange[]
  readonly streets: number
  readonly lostM2: number
  readonly gainedM2: number
  /** The changed grids' borders, before and after. */
  readonly pieces: readonly Piece[]
}

/** A changed grid as it is in one of the two generations. */
export interface Piece {
  readonly side: 'base' | 'next'
  readonly kind: ChangeKind
  readonly id: number
  /** Degrees. */
  readonly bounds: Bounds
  readonly polygons: readonly (readonly (readonly LonLat[])[])[]
}

/** Something wrong with a boundary file. */
export interface Defect {
  readonly kind: string
  /** Codes of the grids concerned. */
  readonly grids: readonly string[]
  readonly at: LonLat | null
  /** 0 where it has no size. */
  readonly areaM2: number
  readonly widthM: number
  readonly detail: string
}

/** What properties of a boundary file can be said to hold; the server guesses the others. */
export const COLUMNS = ['id', 'name', 'street', 'department'] as const
export type Columns = Readonly<Record<(typeof COLUMNS)[number], string>>

const path = (number: number): string => `/api/v1/generations/${number}`

export function fetchGenerations(signal?: AbortSignal): Promise<Generations> {
  return get('/api/v1/generations', {}, readGenerations, signal)
}

/** Reads and proves the file, which takes the server seconds. */
export function importGeneration(file: File, name: string, note: string, columns: Columns): Promise<number> {
  const query: Record<string, string> = { name, note, format: formatOf(file.name) }
  for (const column of COLUMNS) if (columns[column]) query[`${column}_property`] = columns[column]
  return send('POST', '/api/v1/generations', { query, body: file, timeoutMs: 180_000 }, (json) => json.at('number').integer())
}

/** What the ending of a boundary file's name says about its format; empty leaves it to the server. */
export function formatOf(file: string): string {
  const ending = file.toLowerCase().match(/\.(geojson|topojson|gpkg|kml|kmz|zip)$/)?.[1]
  const formats: Record<string, string> = { geojson: 'geojson', topojson: 'topojson', gpkg: 'geopackage', kml: 'kml', kmz: 'kmz', zip: 'shapefile' }
  return (ending && formats[ending]) ?? ''
}

/** Without `base` it is compared with what the schedule ends with; 0 is nothing. */
export function checkGeneration(number: number, base?: number): Promise<void> {
  const query: Record<string, string> = base === undefined ? {} : { base: String(base) }
  return send('POST', `${path(number)}/check`, { query, timeoutMs: 120_000 }, () => undefined)
}

/** `from` in Unix milliseconds; `expect` is the revision of the schedule that was looked at. */
export function publishGeneration(number: number, from: number, expect: number): Promise<void> {
  return send('POST', `${path(number)}/publish`, { body: { from: new Date(from).toISOString(), expect }, timeoutMs: 120_000 }, () => undefined)
}

export function fetchDiff(base: number, next: number, signal?: AbortSignal): Promise<Diff> {
  return get(`${path(base)}/diff/${next}`, {}, readDiff, signal)
}

/** Where the boundaries of a generation can be had as a file. */
export function exportAddress(number: number): string {
  return `${path(number)}/grids`
}

export function readGenerations(json: Json): Generations {
  return {
    generations: json.at('generations').itemsOrNone().map(readGeneration),
    schedule: json.at('schedule').itemsOrNone().map((term) => ({
      generation: term.at('generation').integer(),
      from: term.at('from').instant(),
      to: term.at('to').instantOrNull(),
      by: term.at('by').textOr(''),
    })),
    revision: json.at('revision').integer(),
  }
}

const STATUSES: readonly Status[] = ['draft', 'checked', 'scheduled', 'in-force', 'superseded']

function readGeneration(json: Json): Generation {
  const check = json.at('check')
  const status = STATUSES.find((s) => s === json.at('status').text())
  if (!status) throw json.at('status').wrong(STATUSES.join(', '))
  return {
    number: json.at('number').integer(),
    name: json.at('name').textOr(''),
    note: json.at('note').textOr(''),
    author: json.at('author').textOr(''),
    imported: json.at('imported').instant(),
    hash: json.at('hash').text(),
    grids: json.at('grids').integer(),
    status,
    again: json.at('again').numberOr(0),
    check: check.absent ? null : readCheck(check),
  }
}

function readCheck(json: Json): Check {
  return {
    base: json.at('base').numberOr(0),
    at: json.at('at').instant(),
    by: json.at('by').textOr(''),
    sound: json.at('sound').flag(),
    findings: json.at('findings').itemsOrNone().map((finding) => ({
      refuses: finding.at('refuses').flagOr(false),
      grid: finding.at('grid').textOr(''),
      detail: finding.at('detail').text(),
    })),
  }
}

const KINDS: readonly ChangeKind[] = ['same', 'redrawn', 'split', 'merged', 'new', 'gone']

export function readDiff(json: Json): Diff {
  return {
    base: json.at('base').integer(),
    next: json.at('next').integer(),
    grids: json.at('grids').itemsOrNone().map(readChange),
    streets: json.at('streets').itemsOrNone().length,
    lostM2: json.at('lost_m2').numberOr(0),
    gainedM2: json.at('gained_m2').numberOr(0),
    pieces: json.at('features').at('features').itemsOrNone().map(readPiece),
  }
}

function readKind(json: Json): ChangeKind {
  const kind = KINDS.find((k) => k === json.value)
  if (!kind) throw json.wrong(KINDS.join(', '))
  return kind
}

function readChange(json: Json): GridChange {
  const kind = readKind(json.at('kind'))
  const parts = json.at(kind === 'gone' ? 'children' : 'parents')
  return {
    id: json.at('id').integer(),
    code: json.at('code').text(),
    name: json.at('name').textOr(''),
    kind,
    baseAreaM2: json.at('base_area_m2').numberOr(0),
    areaM2: json.at('area_m2').numberOr(0),
    attributes: json.at('attributes').itemsOrNone().map((a) => ({ name: a.at('name').text(), from: a.at('from').textOr(''), to: a.at('to').textOr('') })),
    parts: parts.itemsOrNone().map((p) => ({ code: p.at('code').textOr(''), areaM2: p.at('area_m2').number(), share: p.at('share').number() })),
  }
}

function readPiece(json: Json): Piece {
  const geometry = json.at('geometry')
  const type = geometry.at('type').text()
  if (type !== 'Polygon' && type !== 'MultiPolygon') throw geometry.at('type').wrong('Polygon or MultiPolygon')
  const side = json.at('side').text()
  if (side !== 'base' && side !== 'next') throw json.at('side').wrong('base or next')
  const list = type === 'Polygon' ? [geometry.at('coordinates')] : geometry.at('coordinates').items()
  const polygons = list.map((polygon) => polygon.items().map((ring) => ring.items().map((p) => p.lonLat())))
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [lon, lat] of polygons.flat(2)) {
    west = Math.min(west, lon)
    south = Math.min(south, lat)
    east = Math.max(east, lon)
    north = Math.max(north, lat)
  }
  return { side, kind: readKind(json.at('change')), id: json.at('id').integer(), bounds: [west, south, east, north], polygons }
}

/** The defects that a refused import names; none when the refusal was about something else. */
export function defectsOf(fault: ApiFault): Defect[] {
  try {
    return new Json(fault.document).at('defects').itemsOrNone().map((defect) => ({
      kind: defect.at('kind').textOr(''),
      grids: defect.at('grids').itemsOrNone().map((code) => code.text()),
      at: defect.at('lon').absent ? null : [defect.at('lon').number(), defect.at('lat').number()],
      areaM2: defect.at('area_m2').numberOr(0),
      widthM: defect.at('width_m').numberOr(0),
      detail: defect.at('detail').textOr(''),
    }))
  } catch {
    return []
  }
}
