/** A map of grids in tones by a value of each, the cells of cases over them, and squares where they rise. */
import type { Feature } from 'geojson'
import type { ExpressionSpecification, LayerSpecification, MapMouseEvent } from 'maplibre-gl'
import type { Bounds } from '../geometry/coord'
import { palettes } from '../ui/palette'
import type { OverlayOptions } from './overlay-map'
import { OverlayMap } from './overlay-map'
import type { Look } from './style'
import { LOWEST } from './style'

export interface GridHeatMapOptions extends OverlayOptions {
  /** The grid under the pointer, 0 for none, and where that is in pixels. */
  onHover(grid: number, x: number, y: number): void
  /** A square was pressed. */
  onPress(square: number): void
}

const CELLS = 'cells'
const SQUARES = 'squares'
/** Pixels around what is shown; a slider lies below. */
const ROOM = { top: 24, right: 24, bottom: 84, left: 24 }

export class GridHeatMap extends OverlayMap<GridHeatMapOptions> {
  constructor(options: GridHeatMapOptions) {
    super(options, { sources: [SQUARES], layers: squareLayers(options.look), tiled: [CELLS], map: { room: ROOM, maxZoom: 17 } })
    this.map.on('mousemove', (e) => options.onHover(this.at(e, LOWEST, 'id'), e.point.x, e.point.y))
    this.map.on('mouseout', () => options.onHover(0, 0, 0))
    this.map.on('click', (e) => {
      const square = this.at(e, 'square-area', 'number')
      if (square) options.onPress(square)
    })
  }

  /** Paints each grid of a class in its tone; `of` has the grids of every class, the least first. */
  paint(of: readonly (readonly number[])[]): void {
    const p = palettes[this.options.look.theme]
    const tone: (string | number | readonly number[] | ExpressionSpecification)[] = ['match', ['get', 'id']]
    of.forEach((ids, i) => {
      if (ids.length > 0) tone.push(ids, toneOf(p.heat, i, of.length))
    })
    const none = p.tones[0]
    const colour = tone.length > 2 ? ([...tone, none] as unknown as ExpressionSpecification) : none
    this.whenLoaded(() => this.map.setPaintProperty(LOWEST, 'fill-color', colour))
  }

  /** Shows the cells that `tiles` has, in tones up to `full` cases per km², or none. */
  cells(tiles: string | null, full: number): void {
    const p = palettes[this.options.look.theme]
    this.whenLoaded(() => {
      if (this.map.getLayer(CELLS)) this.map.removeLayer(CELLS)
      if (this.map.getSource(CELLS)) this.map.removeSource(CELLS)
      if (!tiles) return
      this.map.addSource(CELLS, { type: 'vector', tiles: [tiles], minzoom: 8, maxzoom: 16 })
      const stops = p.heat.flatMap((colour, i) => [(full * i * i) / (p.heat.length - 1) ** 2, colour])
      this.map.addLayer(
        {
          id: CELLS, type: 'fill', source: CELLS, 'source-layer': 'cells',
          paint: { 'fill-color': ['interpolate', ['linear'], ['get', 'per_km2'], ...stops] as unknown as ExpressionSpecification, 'fill-opacity': 0.85, 'fill-antialias': false },
        },
        'square-under',
      )
    })
  }

  /** Draws these squares, numbered from 1. */
  squares(list: readonly Bounds[]): void {
    this.put(SQUARES, squares(list))
  }

  fit(bounds: Bounds, maxZoom = 15): void {
    this.map.fitBounds([bounds[0], bounds[1], bounds[2], bounds[3]], { padding: ROOM, maxZoom, animate: !this.options.still, duration: 600 })
  }

  private at(e: MapMouseEvent, layer: string, property: string): number {
    if (!this.loaded) return 0
    const [found] = this.map.queryRenderedFeatures(e.point, { layers: [layer] })
    return Number(found?.properties[property] ?? 0)
  }
}

/** The tone of class `i` of `n`: a single class has the middle one. */
export function toneOf(tones: readonly string[], i: number, n: number): string {
  const at = n > 1 ? Math.round((i * (tones.length - 1)) / (n - 1)) : Math.floor(tones.length / 2)
  return tones[at] ?? '#000'
}

function squareLayers({ theme, scale }: Look): LayerSpecification[] {
  const p = palettes[theme]
  return [
    { id: 'square-under', type: 'line', source: SQUARES, paint: { 'line-color': p.markEdge, 'line-width': 4.5 * scale, 'line-opacity': 0.7 } },
    { id: 'square-line', type: 'line', source: SQUARES, paint: { 'line-color': p.mark, 'line-width': 2 * scale } },
    { id: 'square-area', type: 'fill', source: SQUARES, paint: { 'fill-opacity': 0 } },
  ]
}

function squares(list: readonly Bounds[]): Feature[] {
  return list.map(([west, south, east, north], i) => ({
    type: 'Feature',
    geometry: { type: 'Polygon', coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]] },
    properties: { number: i + 1 },
  }))
}
