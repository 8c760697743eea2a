/** Cases by grid over a time, and where they rise. */
import type { Bounds, LonLat } from '../geometry/coord'
import { get } from './client'
import type { Json } from './decode'

export interface HeatGrid {
  readonly id: number
  readonly code: string
  readonly name: string
  readonly count: number
  readonly areaKm2: number
  readonly perKm2: number
  /** Null when patrol hours were not asked for, or none are known. */
  readonly patrolHours: number | null
  /** By what was asked for; null where nobody patrolled. */
  readonly value: number | null
}

export interface HeatOfGrids {
  readonly from: number
  readonly to: number
  readonly asOf: number
  readonly total: number
  /** What of the window patrol hours are known of; null for nothing, and when they were not asked for. */
  readonly patrol: { readonly from: number; readonly to: number } | null
  readonly grids: readonly HeatGrid[]
}

export type HeatQuery = Readonly<Record<string, string>>

export function fetchHeat(query: HeatQuery, signal?: AbortSignal): Promise<HeatOfGrids> {
  return get('/api/v1/heat', query, readHeat, signal)
}

export function readHeat(json: Json): HeatOfGrids {
  const patrol = json.at('patrol')
  return {
    from: json.at('from').instant(),
    to: json.at('to').instant(),
    asOf: json.at('as_of').instant(),
    total: json.at('total').integer(),
    patrol: patrol.absent ? null : { from: patrol.at('from').instant(), to: patrol.at('to').instant() },
    grids: json.at('grids').items().map((g) => ({
      id: g.at('grid').at('id').integer(),
      code: g.at('grid').at('code').text(),
      name: g.at('grid').at('name').text(),
      count: g.at('count').integer(),
      areaKm2: g.at('area_km2').number(),
      perKm2: g.at('per_km2').number(),
      patrolHours: g.at('patrol_hours').absent ? null : g.at('patrol_hours').number(),
      value: g.at('value').absent ? null : g.at('value').number(),
    })),
  }
}

/** Counts by step, in all and of each grid by code. */
export interface HeatSteps {
  readonly from: number
  readonly stepMs: number
  readonly totals: readonly number[]
  readonly grids: ReadonlyMap<string, readonly number[]>
}

export function fetchHeatSteps(query: HeatQuery, step: string, signal?: AbortSignal): Promise<HeatSteps> {
  return get('/api/v1/heat/series', { ...query, step, by: 'grid' }, readHeatSteps, signal)
}

export function readHeatSteps(json: Json): HeatSteps {
  return {
    from: json.at('from').instant(),
    stepMs: json.at('step_s').integer() * 1000,
    totals: json.at('totals').integersOrNone(),
    grids: new Map(json.at('grids').itemsOrNone().map((g) => [g.at('code').text(), g.at('counts').integersOrNone()])),
  }
}

/** Where there are more cases than the weeks before let expect. */
export interface Cluster {
  readonly grid: string
  readonly bounds: Bounds
  readonly center: LonLat
  readonly sideM: number
  readonly since: number
  readonly observed: number
  readonly expected: number
  readonly p: number
}

export interface Rising {
  readonly to: number
  readonly alpha: number
  readonly clusters: readonly Cluster[]
}

export function fetchRising(query: HeatQuery, signal?: AbortSignal): Promise<Rising> {
  return get('/api/v1/heat/rising', query, readRising, signal)
}

export function readRising(json: Json): Rising {
  return {
    to: json.at('to').instant(),
    alpha: json.at('alpha').number(),
    clusters: json.at('clusters').items().map((c) => {
      const [west, south, east, north] = c.at('bound').items().map((n) => n.number())
      if (west === undefined || south === undefined || east === undefined || north === undefined) throw c.at('bound').wrong('four numbers')
      return {
        grid: c.at('grid').absent ? '' : c.at('grid').at('name').text(),
        bounds: [west, south, east, north],
        center: c.at('center').lonLat(),
        sideM: c.at('side_m').number(),
        since: c.at('since').instant(),
        observed: c.at('observed').integer(),
        expected: c.at('expected').number(),
        p: c.at('p').number(),
      }
    }),
  }
}
