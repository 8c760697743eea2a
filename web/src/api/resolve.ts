import type { LonLat } from '../geometry/coord'
import type { Datum } from '../geometry/datum'
import { get } from './client'
import type { Json } from './decode'

export type GridKind = 'urban' | 'autonomous' | 'unknown'

/** A grid as other answers mention it. */
export interface GridRef {
  readonly id: number
  readonly code: string
  readonly name: string
  readonly kind: GridKind
}

export interface Named {
  readonly code: string
  readonly name: string
}

/** Where a point lies and who answers for it. */
export interface Resolution {
  /** WGS-84, whatever datum was asked in. */
  readonly at: LonLat
  /** Null outside the district; so are street and department. */
  readonly grid: GridRef | null
  readonly street: Named | null
  readonly department: Named | null
  /** To the nearest border of any grid, in metres. */
  readonly borderM: number
  /** Only outside the district. */
  readonly nearest: { readonly grid: GridRef; readonly distanceM: number } | null
  readonly generation: { readonly number: number; readonly hash: string } | null
}

/** Asks the server for the grid, street and department of `p`, given in `datum`. */
export function resolve(p: LonLat, datum: Datum, signal?: AbortSignal): Promise<Resolution> {
  const query: Record<string, string> = { lon: String(p[0]), lat: String(p[1]) }
  if (datum !== 'wgs84') query['datum'] = datum
  return get('/api/v1/resolve', query, readResolution, signal)
}

export function readResolution(json: Json): Resolution {
  const nearest = json.at('nearest')
  const generation = json.at('generation')
  return {
    at: [json.at('lon').number(), json.at('lat').number()],
    grid: orNull(json.at('grid'), readGridRef),
    street: orNull(json.at('street'), readNamed),
    department: orNull(json.at('department'), readNamed),
    borderM: json.at('border_distance_m').number(),
    nearest: nearest.absent
      ? null
      : { grid: readGridRef(nearest.at('grid')), distanceM: nearest.at('distance_m').number() },
    generation: generation.absent
      ? null
      : { number: generation.at('number').integer(), hash: generation.at('hash').textOr('') },
  }
}

/** One of the grids that a position may lie in. Grid 0 is outside the district. */
export interface Share {
  readonly grid: number
  readonly gridCode: string
  readonly gridName: string
  /** Of the circle of accuracy, (0, 1]. */
  readonly share: number
}

/** Which grids `p` (WGS-84) may lie in, given how exact it is in metres. */
export function fetchShares(p: LonLat, accuracyM: number, signal?: AbortSignal): Promise<Share[]> {
  const query = { lon: String(p[0]), lat: String(p[1]), accuracy: String(accuracyM) }
  return get('/api/v1/resolve', query, (json) => json.at('shares').itemsOrNone().map(readShare), signal)
}

function readShare(json: Json): Share {
  const grid = json.at('grid').absent ? null : readGridRef(json.at('grid'))
  return { grid: grid?.id ?? 0, gridCode: grid?.code ?? '', gridName: grid?.name ?? '', share: json.at('share').number() }
}

function readGridRef(json: Json): GridRef {
  return {
    id: json.at('id').integer(),
    code: json.at('code').text(),
    name: json.at('name').text(),
    kind: readKind(json.at('kind')),
  }
}

export function readKind(json: Json): GridKind {
  const kind = json.textOr('')
  return kind === 'urban' || kind === 'autonomous' ? kind : 'unknown'
}

export function readNamed(json: Json): Named {
  return { code: json.at('code').text(), name: json.at('name').text() }
}

function orNull<T>(json: Json, read: (json: Json) => T): T | null {
  return json.absent ? null : read(json)
}
