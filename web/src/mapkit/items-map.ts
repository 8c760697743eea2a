/** The map of an inspection: its items, numbered, each with its outcome; the one that is open; and where one stands. */
import type { ExpressionSpecification, LayerSpecification } from 'maplibre-gl'
import type { LonLat } from '../geometry/coord'
import { palettes } from '../ui/palette'
import type { OverlayOptions } from './overlay-map'
import { OverlayMap } from './overlay-map'
import type { Look } from './style'

export interface ItemPoint {
  readonly number: number
  readonly at: LonLat
  readonly outcome: 'none' | 'pass' | 'finding'
}

export interface ItemsMapOptions extends OverlayOptions {
  onPress(number: number): void
}

const ITEMS = 'items'
const HERE = 'here'
const CLOSEST = 15

export class ItemsMap extends OverlayMap<ItemsMapOptions> {
  constructor(options: ItemsMapOptions) {
    super(options, { sources: [ITEMS, HERE], layers: itemLayers(options.look) })
    this.map.on('click', 'item', (e) => {
      const number: unknown = e.features?.[0]?.properties['number']
      if (typeof number === 'number') options.onPress(number)
    })
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
