import type { LonLat } from '../geometry/coord'
import { get } from './client'
import type { Json } from './decode'
import { inForceAt } from './grids'
import { readNamed } from './resolve'

/** A street, town or development zone and how many grids it has. */
export interface Street {
  readonly code: string
  readonly name: string
  /** Of its administration; null when unknown. */
  readonly seat: LonLat | null
  readonly grids: number
  readonly urban: number
  readonly autonomous: number
  readonly areaM2: number
}

/** The streets of the borders in force at `at` (Unix milliseconds), or now. */
export function fetchStreets(signal?: AbortSignal, at: number | null = null): Promise<Street[]> {
  return get('/api/v1/streets', inForceAt(at), readStreets, signal)
}

export function readStreets(json: Json): Street[] {
  return json.at('streets').items().map((street) => ({
    ...readNamed(street),
    seat: street.at('seat').absent ? null : street.at('seat').lonLat(),
    grids: street.at('grids').integer(),
    urban: street.at('urban').integer(),
    autonomous: street.at('autonomous').integer(),
    areaM2: street.at('area_m2').number(),
  }))
}
