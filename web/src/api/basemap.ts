import { get } from './client'
import type { Json } from './decode'

/** What lies under the map, and what it is drawn in. No layers: nothing does. */
export interface BaseMap {
  readonly datum: 'wgs84' | 'gcj02'
  readonly attribution: string
  /** The lowest first. */
  readonly layers: readonly BaseLayer[]
}

export interface BaseLayer {
  /** Where its tiles are, with {z}, {x} and {y}; or empty, and then it has a file. */
  readonly tiles: string
  /** Where its PMTiles file is. */
  readonly archive: string
  readonly tileSize: number
  readonly minZoom: number
  readonly maxZoom: number
  readonly opacity: number
  readonly dark: 'dim' | 'invert' | ''
}

export function fetchBaseMap(signal?: AbortSignal): Promise<BaseMap> {
  return get('/api/v1/basemap', {}, readBaseMap, signal)
}

export function readBaseMap(json: Json): BaseMap {
  return {
    datum: json.at('datum').text() === 'gcj02' ? 'gcj02' : 'wgs84',
    attribution: json.at('attribution').textOr(''),
    layers: json.at('layers').items().map((layer) => {
      const dark = layer.at('dark').textOr('')
      return {
        tiles: layer.at('tiles').textOr(''),
        archive: layer.at('archive').textOr(''),
        tileSize: layer.at('tile_size').integer(),
        minZoom: layer.at('minzoom').integer(),
        maxZoom: layer.at('maxzoom').integer(),
        opacity: layer.at('opacity').number(),
        dark: dark === 'dim' || dark === 'invert' ? dark : '',
      }
    }),
  }
}
