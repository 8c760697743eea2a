/** A map of grids in tones by a value of each, the cells of cases over them, and squares where they rise. */
import type { FeatureCollection } from 'geojson'
import type { ExpressionSpecification, GeoJSONSource, Map as MapLibre, MapMouseEvent } from 'maplibre-gl'
import type { Bounds } from '../geometry/coord'
import { palettes } from '../ui/palette'
import { flatMap } from './flat'
import type { Look } from './style'
import { GRIDS, LOWEST, LOWEST_LABEL, OWED, districtStyle } from './style'

export interface GridHeatMapOptions {
  readonly container: HTMLElement
  /** Where the grids' tiles are: an address with {z}, {x} and {y}. */
  readonly tiles: string
  readonly bounds: Bounds
  readonly look: Look
  readonly still: boolean
  /** The accessible name of the map. */
  readonly title: string
  /** The grid under the pointer, 0 for none, and where that is in pixels. */
  onHover(grid: number, x: number, y: number): void
  /** A square was pressed. */
  onPress(square: number): void
}

const CELLS = 'cells'
const SQUARES = 'squares'
/** Pixels around what is shown; a slider lies below. */
const ROOM = { top: 24, right: 24, bottom: 84, left: 24 }

export class GridHeatMap {
  private readonly map: MapLibre
  private loaded = false
  private readonly waiting: (() => void)[] = []

  constructor(private readonly options: GridHeatMapOptions) {
    const { look } = options
    const p = palettes[look.theme]
    const style = districtStyle(options.tiles, look)
    style.layers = style.layers.filter((layer) => layer.id !== 'grid-urban' && layer.id !== OWED)
    this.map = flatMap({ container: options.container, style, title: options.title, still: options.still, bounds: options.bounds, room: ROOM, maxZoom: 17, scaleBar: look.scale })
    this.map.once('style.load', () => {
      this.map.addSource(SQUARES, { type: 'geojson', data: squares([]) })
      this.map.addLayer({ id: 'square-under', type: 'line', source: SQUARES, paint: { 'line-color': p.markEdge, 'line-width': 4.5 * look.scale, 'line-opacity': 0.7 } }, LOWEST_LABEL)
      this.map.addLayer({ id: 'square-line', type: 'line', source: SQUARES, paint: { 'line-color': p.mark, 'line-width': 2 * look.scale } }, LOWEST_LABEL)
      this.map.addLayer({ id: 'square-area', type: 'fill', source: SQUARES, paint: { 'fill-opacity': 0 } }, LOWEST_LABEL)
      this.loaded = true
      for (const work of this.waiting.splice(0)) work()
    })
    this.map.on('error', (e) => {
      if (!('sourceId' in e && (e.sourceId === GRIDS || e.sourceId === CELLS))) console.error(e.error)
    })
    this.map.on('mousemove', (e) => options.onHover(this.at(e, LOWEST, 'id'), e.point.x, e.point.y))
    this.map.on('mouseout', () => options.onHover(0, 0, 0))
    this.map.on('click', (e) => {
      const square = this.at(e, 'square-area', 'number')
      if (square) options.onPress(square)
    })
  }

  /** MapLibre's own object, for tests. */
  get inner(): unknown {
    return this.map
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
    this.whenLoaded(() => void this.map.getSource<GeoJSONSource>(SQUARES)?.setData(squares(list)))
  }

  fit(bounds: Bounds, maxZoom = 15): void {
    this.map.fitBounds([bounds[0], bounds[1], bounds[2], bounds[3]], { padding: ROOM, maxZoom, animate: !this.options.still, duration: 600 })
  }

  zoomBy(levels: number): void {
    this.map.zoomTo(this.map.getZoom() + levels, { animate: !this.options.still, duration: 250 })
  }

  destroy(): void {
    this.map.remove()
  }

  private at(e: MapMouseEvent, layer: string, property: string): number {
    if (!this.loaded) return 0
    const [found] = this.map.queryRenderedFeatures(e.point, { layers: [layer] })
    return Number(found?.properties[property] ?? 0)
  }

  private whenLoaded(work: () => void): void {
    if (this.loaded) work()
    else this.waiting.push(work)
  }
}

/** The tone of class `i` of `n`: a single class has the middle one. */
export function toneOf(tones: readonly string[], i: number, n: number): string {
  const at = n > 1 ? Math.round((i * (tones.length - 1)) / (n - 1)) : Math.floor(tones.length / 2)
  return tones[at] ?? '#000'
}

function squares(list: readonly Bounds[]): FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: list.map(([west, south, east, north], i) => ({
      type: 'Feature',
      geometry: { type: 'Polygon', coordinates: [[[west, south], [east, south], [east, north], [west, north], [west, south]]] },
      properties: { number: i + 1 },
    })),
  }
}
