/** A map of the quiet district with something over it that is to stand out. */
import type { Feature, FeatureCollection } from 'geojson'
import type { GeoJSONSource, LayerSpecification, Map as MapLibre } from 'maplibre-gl'
import type { Bounds } from '../geometry/coord'
import type { FlatMapOptions } from './flat'
import { flatMap } from './flat'
import type { Texture } from './images'
import type { Look } from './style'
import { GRIDS, LOWEST_LABEL, OWED, districtStyle } from './style'

export interface OverlayOptions {
  readonly container: HTMLElement
  /** Where the grids' tiles are: an address with {z}, {x} and {y}. */
  readonly tiles: string
  /** What to show first, before there is anything else to show. Degrees. */
  readonly bounds: Bounds
  readonly look: Look
  readonly still: boolean
  /** The accessible name of the map. */
  readonly title: string
}

/** What lies over the district: sources that `put` fills, layers, the lowest first, and images that they name. */
export interface Overlay {
  readonly sources: readonly string[]
  readonly layers: readonly LayerSpecification[]
  readonly images?: Readonly<Record<string, Texture>>
  /** Sources whose tiles may not come, as those of the grids. */
  readonly tiled?: readonly string[]
  /** How the map differs from others. */
  readonly map?: Pick<FlatMapOptions, 'room' | 'maxZoom'>
}

export class OverlayMap<Options extends OverlayOptions> {
  protected readonly map: MapLibre
  protected loaded = false
  private readonly waiting: (() => void)[] = []

  constructor(
    protected readonly options: Options,
    { sources, layers, images = {}, tiled = [], map = {} }: Overlay,
  ) {
    const { container, tiles, bounds, look, still, title } = options
    const style = districtStyle(tiles, look)
    style.layers = style.layers.filter((layer) => layer.id !== 'grid-urban' && layer.id !== OWED)
    this.map = flatMap({ container, style, title, still, bounds, scaleBar: look.scale, ...map })
    this.map.once('style.load', () => {
      for (const [name, image] of Object.entries(images)) this.map.addImage(name, image, { pixelRatio: 2 / look.scale })
      for (const name of sources) this.map.addSource(name, { type: 'geojson', data: collection([]) })
      for (const layer of layers) this.map.addLayer(layer, LOWEST_LABEL)
      this.loaded = true
      for (const work of this.waiting.splice(0)) work()
    })
    // Tiles that do not come leave their place empty; what lies over them is still there.
    this.map.on('error', (e) => {
      if (!('sourceId' in e && [GRIDS, ...tiled].includes(String(e.sourceId)))) console.error(e.error)
    })
  }

  /** MapLibre's own object, for tests. */
  get inner(): unknown {
    return this.map
  }

  zoomBy(levels: number): void {
    this.map.zoomTo(this.map.getZoom() + levels, { animate: !this.options.still, duration: 250 })
  }

  destroy(): void {
    this.map.remove()
  }

  /** Makes `features` all that a source has. */
  protected put(source: string, features: Feature[]): void {
    this.whenLoaded(() => void this.map.getSource<GeoJSONSource>(source)?.setData(collection(features)))
  }

  /** Does `work` now, or in its turn once the map can take it. */
  protected whenLoaded(work: () => void): void {
    if (this.loaded) work()
    else this.waiting.push(work)
  }
}

function collection(features: Feature[]): FeatureCollection {
  return { type: 'FeatureCollection', features }
}
