/** What lies under the district: pictures of a base map, and the datum that they are drawn in. */
import type { LayerSpecification, RasterSourceSpecification } from 'maplibre-gl'
import { addProtocol } from 'maplibre-gl'
import type { Bounds, Coord, LonLat } from '../geometry/coord'
import { degrees, quantise } from '../geometry/coord'
import { fromWgs84, toWgs84 } from '../geometry/datum'
import type { Theme } from '../ui/palette'

export interface GroundLayer {
  /** Address with {z}, {x} and {y}; empty for one that comes from a file. */
  readonly tiles: string
  /** Address of a PMTiles file. */
  readonly archive: string
  readonly tileSize: number
  readonly minZoom: number
  readonly maxZoom: number
  readonly opacity: number
  readonly dark: 'dim' | 'invert' | ''
}

export interface Ground {
  readonly datum: 'wgs84' | 'gcj02'
  readonly attribution: string
  readonly layers: readonly GroundLayer[]
}

/** No base map: the district alone. */
export const BARE: Ground = { datum: 'wgs84', attribution: '', layers: [] }

/**
 * The plane of a map: everything is WGS-84 outside of it, and drawn in the
 * datum of its ground. Points are converted one by one, since a constant shift
 * would be wrong by up to 30 m within the district.
 */
export class GroundPlane {
  constructor(private readonly datum: Ground['datum']) {}

  to(p: LonLat): LonLat {
    return fromWgs84(p, this.datum)
  }

  from(p: LonLat): LonLat {
    return toWgs84(p, this.datum)
  }

  coord(c: Coord): Coord {
    return this.datum === 'wgs84' ? c : quantise(this.to(degrees(c)))
  }

  rings(list: readonly (readonly Coord[])[]): readonly (readonly Coord[])[] {
    return this.datum === 'wgs84' ? list : list.map((ring) => ring.map((c) => this.coord(c)))
  }

  bounds([west, south, east, north]: Bounds): Bounds {
    const [w, s] = this.to([west, south])
    const [e, n] = this.to([east, north])
    return [w, s, e, n]
  }
}

const SCHEME = 'pmtiles'

/** Makes ready what `ground` needs; to be awaited before a map with it is made. */
export async function prepareGround(ground: Ground): Promise<void> {
  if (!ground.layers.some((layer) => layer.archive)) return
  const { Protocol } = await import('pmtiles')
  addProtocol(SCHEME, new Protocol().tile)
}

export const groundName = (i: number): string => `ground-${i}`

export function groundSource(layer: GroundLayer): RasterSourceSpecification {
  const common = { type: 'raster', tileSize: layer.tileSize, minzoom: layer.minZoom, maxzoom: layer.maxZoom } as const
  if (layer.archive) return { ...common, url: `${SCHEME}://${location.origin}${layer.archive}` }
  return { ...common, tiles: [location.origin + layer.tiles] }
}

/** The layers of `ground` in a theme, the lowest first. */
export function groundLayers(ground: Ground, theme: Theme): LayerSpecification[] {
  return ground.layers.map((layer, i) => ({
    id: groundName(i),
    type: 'raster',
    source: groundName(i),
    paint: { 'raster-opacity': layer.opacity, 'raster-fade-duration': 150, ...tone(layer, theme) },
  }))
}

const PLAIN = { 'raster-brightness-min': 0, 'raster-brightness-max': 1, 'raster-saturation': 0, 'raster-hue-rotate': 0 }

function tone({ dark }: GroundLayer, theme: Theme): typeof PLAIN {
  if (theme === 'light' || dark === '') return PLAIN
  if (dark === 'dim') return { ...PLAIN, 'raster-brightness-max': 0.45, 'raster-saturation': -0.5 }
  // Least above most turns light into dark; half a turn gives the hues back.
  return { 'raster-brightness-min': 0.95, 'raster-brightness-max': 0.02, 'raster-saturation': -0.45, 'raster-hue-rotate': 180 }
}
