/** The map of an inspection: its items, numbered, each with its outcome; the one that is open; and where one stands. */
import type { Feature, FeatureCollection } from 'geojson'
import type { ExpressionSpecification, GeoJSONSource, LayerSpecification, Map as MapLibre } from 'maplibre-gl'
import type { Bounds, LonLat } from '../geometry/coord'
import { palettes } from '../ui/palette'
import { flatMap } from './flat'
import type { Look } from './style'
import { GRIDS, LOWEST_LABEL, OWED, districtStyle } from './style'

export interface ItemPoint {
  readonly number: number
  readonly at: LonLat
  readonly outcome: 'none' | 'pass' | 'finding'
}

export interface ItemsMapOptions {
  readonly container: HTMLElement
  /** Where the grids' tiles are: an address with {z}, {x} and {y}. */
  readonly tiles: string
  /** What to show while there are no items. Degrees. */
  readonly bounds: Bounds
  readonly look: Look
  readonly still: boolean
  /** The accessible name of the map. */
  readonly title: string
  onPress(number: number): void
}

const ITEMS = 'items'
const HERE = 'here'
const CLOSEST = 15

export class ItemsMap {
  private readonly map: MapLibre
  private loaded = false
  private readonly waiting: (() => void)[] = []

  constructor(private readonly options: ItemsMapOptions) {
    const style = districtStyle(options.tiles, options.look)
    style.layers = style.layers.filter((layer) => layer.id !== 'grid-urban' && layer.id !== OWED)
    this.map = flatMap({ container: options.container, style, title: options.title, still: options.still, bounds: options.bounds, scaleBar: options.look.scale })
    this.map.once('style.load', () => {
      for (const name of [ITEMS, HERE]) this.map.addSource(name, { type: 'geojson', data: collection([]) })
      for (const layer of itemLayers(options.look)) this.map.addLayer(layer, LOWEST_LABEL)
      this.loaded = true
      for (const work of this.waiting.splice(0)) work()
    })
    // Tiles that do not come leave their place empty; the items are still there.
    this.map.on('error', (e) => {
      if (!('sourceId' in e && e.sourceId === GRIDS)) console.error(e.error)
    })
    this.map.on('click', 'item', (e) => {
      const number: unknown = e.features?.[0]?.properties['number']
      if (typeof number === 'number') options.onPress(number)
    })
  }

  /** MapLibre's own object, for tests. */
  get inner(): unknown {
    return this.map
  }

  /** Draws the items, and a ring round the one that is chosen (0 for none). */
  draw(items: readonly ItemPoint[], chosen: number): void {
    this.put(ITEMS, items.map(({ number, at, outcome }) => ({
      type: 'Feature', geometry: { type: 'Point', coordinates: [...at] }, properties: { number, name: String(number), outcome, chosen: number === chosen },
    })))
  }

  /** Marks where one stands, or nothing. */
  here(at: LonLat | null): void {
    this.put(HERE, at ? [{ type: 'Feature', geometry: { type: 'Point', coordinates: [...at] }, properties: {} }] : [])
  }

  /** Shows all of `points`. */
  fit(points: readonly LonLat[]): void {
    if (points.length === 0) return
    const lons = points.map((p) => p[0])
    const lats = points.map((p) => p[1])
    this.map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], { padding: 40, maxZoom: CLOSEST, animate: !this.options.still, duration: 500 })
  }

  destroy(): void {
    this.map.remove()
  }

  private put(source: string, features: Feature[]): void {
    const work = (): void => void this.map.getSource<GeoJSONSource>(source)?.setData(collection(features))
    if (this.loaded) work()
    else this.waiting.push(work)
  }
}

function itemLayers({ theme, scale }: Look): LayerSpecification[] {
  const p = palettes[theme]
  const by = (pass: string, finding: string, none: string): ExpressionSpecification => ['match', ['get', 'outcome'], 'pass', pass, 'finding', finding, none]
  return [
    { id: 'here', type: 'circle', source: HERE, paint: { 'circle-radius': 7 * scale, 'circle-color': p.units.square, 'circle-stroke-color': p.markEdge, 'circle-stroke-width': 2.5 * scale } },
    {
      id: 'item-ring', type: 'circle', source: ITEMS, filter: ['==', ['get', 'chosen'], true],
      paint: { 'circle-radius': 16 * scale, 'circle-color': 'rgba(0, 0, 0, 0)', 'circle-stroke-color': p.mapText, 'circle-stroke-width': 2.5 * scale },
    },
    {
      id: 'item', type: 'circle', source: ITEMS,
      layout: { 'circle-sort-key': ['case', ['get', 'chosen'], 1, 0] },
      paint: { 'circle-radius': 11 * scale, 'circle-color': by(p.units.stale, p.urgent, p.panel), 'circle-stroke-color': by(p.markEdge, p.markEdge, p.mark), 'circle-stroke-width': 2 * scale },
    },
    {
      // A number tells what the colour does, too: passed ones have a tick, findings an exclamation mark.
      id: 'item-name', type: 'symbol', source: ITEMS,
      layout: {
        'text-field': ['match', ['get', 'outcome'], 'pass', ['concat', ['get', 'name'], '✓'], 'finding', ['concat', ['get', 'name'], '!'], ['get', 'name']],
        'text-font': ['Bold', 'Inter Variable', 'Noto Sans CJK SC'], 'text-size': 11 * scale, 'text-allow-overlap': true, 'text-ignore-placement': true,
      },
      paint: { 'text-color': by(p.markEdge, p.markEdge, p.mapText) },
    },
  ]
}

function collection(features: Feature[]): FeatureCollection {
  return { type: 'FeatureCollection', features }
}
