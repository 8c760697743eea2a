/** Two maps of one district, before and after, that always show the same place. */
import type { Feature, FeatureCollection } from 'geojson'
import type { ExpressionSpecification, GeoJSONSource, LayerSpecification, Map as MapLibre } from 'maplibre-gl'
import { ScaleControl } from 'maplibre-gl'
import type { Bounds, LonLat } from '../geometry/coord'
import { palettes } from '../ui/palette'
import { flatMap } from './flat'
import type { Hatching } from './hatch'
import { hatch } from './hatch'
import type { Look } from './style'
import { GRIDS, LOWEST_LABEL, districtStyle } from './style'

/** A grid that differs, as it is on one side. Degrees. */
export interface Shape {
  readonly id: number
  readonly kind: Hatching
  readonly polygons: readonly (readonly (readonly LonLat[])[])[]
}

/** One of the two maps. */
export interface Side {
  readonly container: HTMLElement
  /** Where its grids' tiles are: an address with {z}, {x} and {y}. */
  readonly tiles: string
  readonly shapes: readonly Shape[]
  /** The accessible name of the map. */
  readonly title: string
}

export interface CompareMapOptions {
  readonly base: Side
  readonly next: Side
  /** What to show first, in degrees. */
  readonly bounds: Bounds
  readonly look: Look
  readonly still: boolean
  onPress(id: number): void
}

const SHAPES = 'changes'
const CHOSEN_SHAPE = 'chosen-shape'
const KINDS: readonly Hatching[] = ['same', 'redrawn', 'split', 'merged', 'new', 'gone']

export class CompareMap {
  private readonly maps: readonly [MapLibre, MapLibre]
  private readonly still: boolean
  private following = false

  constructor(private readonly options: CompareMapOptions) {
    this.still = options.still
    this.maps = [this.open(options.base), this.open(options.next)]
    const [base, next] = this.maps
    this.follow(base, next)
    this.follow(next, base)
    next.addControl(new ScaleControl({ maxWidth: 96 * options.look.scale }), 'bottom-right')
  }

  /** MapLibre's own objects, for tests. */
  get inner(): { readonly base: unknown; readonly next: unknown } {
    return { base: this.maps[0], next: this.maps[1] }
  }

  /** Outlines the grid on both maps; 0 for none. */
  choose(id: number): void {
    for (const [i, map] of this.maps.entries()) {
      const side = i === 0 ? this.options.base : this.options.next
      const draw = (): void => void map.getSource<GeoJSONSource>(CHOSEN_SHAPE)?.setData(collection(side.shapes.filter((s) => s.id === id)))
      if (map.getSource(CHOSEN_SHAPE)) draw()
      else map.once('style.load', draw)
    }
  }

  /** Shows all of `bounds` (degrees), no closer than `maxZoom`. */
  fit(bounds: Bounds, maxZoom: number): void {
    this.maps[1].fitBounds([bounds[0], bounds[1], bounds[2], bounds[3]], { padding: 48, maxZoom, animate: !this.still, duration: 900 })
  }

  zoomBy(levels: number): void {
    this.maps[1].zoomTo(this.maps[1].getZoom() + levels, { animate: !this.still, duration: 250 })
  }

  destroy(): void {
    for (const map of this.maps) map.remove()
  }

  private open(side: Side): MapLibre {
    const { look, bounds } = this.options
    const style = districtStyle(side.tiles, look)
    // The dots of urban grids would be taken for a hatching.
    style.layers = style.layers.filter((layer) => layer.id !== 'grid-urban')
    const map = flatMap({ container: side.container, style, title: side.title, still: this.still, bounds, room: 48, closest: 15 })
    map.once('style.load', () => this.addShapes(map, side))
    map.on('click', (e) => {
      const [hit] = map.queryRenderedFeatures(e.point, { layers: ['change-area'] })
      this.options.onPress(Number(hit?.properties['id'] ?? 0))
    })
    // Tiles that do not come leave their place empty; the shapes are still there.
    map.on('error', (e) => {
      if (!('sourceId' in e && e.sourceId === GRIDS)) console.error(e.error)
    })
    return map
  }

  private addShapes(map: MapLibre, side: Side): void {
    const { theme, scale } = this.options.look
    for (const kind of KINDS) map.addImage(`hatch-${kind}`, hatch(kind, palettes[theme].change[kind]), { pixelRatio: 1.5 / scale })
    map.addSource(SHAPES, { type: 'geojson', data: collection(side.shapes) })
    map.addSource(CHOSEN_SHAPE, { type: 'geojson', data: collection([]) })
    for (const layer of changeLayers(this.options.look)) map.addLayer(layer, map.getLayer(LOWEST_LABEL) ? LOWEST_LABEL : undefined)
  }

  private follow(leader: MapLibre, follower: MapLibre): void {
    leader.on('move', () => {
      if (this.following) return
      this.following = true
      follower.jumpTo({ center: leader.getCenter(), zoom: leader.getZoom() })
      this.following = false
    })
  }
}

function changeLayers({ theme, scale }: Look): LayerSpecification[] {
  const p = palettes[theme]
  const colour = ['match', ['get', 'kind'], ...KINDS.flatMap((kind) => [kind, p.change[kind]]), p.text] as unknown as ExpressionSpecification
  const joined = { 'line-join': 'round', 'line-cap': 'round' } as const
  return [
    { id: 'change-area', type: 'fill', source: SHAPES, paint: { 'fill-color': colour, 'fill-opacity': 0.3, 'fill-antialias': false } },
    { id: 'change-hatch', type: 'fill', source: SHAPES, paint: { 'fill-pattern': ['concat', 'hatch-', ['get', 'kind']], 'fill-opacity': 0.65, 'fill-antialias': false } },
    { id: 'change-edge', type: 'line', source: SHAPES, layout: joined, paint: { 'line-color': colour, 'line-width': 2 * scale } },
    { id: 'chosen-shape-under', type: 'line', source: CHOSEN_SHAPE, layout: joined, paint: { 'line-color': p.markEdge, 'line-width': 6 * scale } },
    { id: 'chosen-shape', type: 'line', source: CHOSEN_SHAPE, layout: joined, paint: { 'line-color': p.text, 'line-width': 3 * scale } },
  ]
}

function collection(shapes: readonly Shape[]): FeatureCollection {
  const features: Feature[] = shapes.map(({ id, kind, polygons }) => ({
    type: 'Feature',
    geometry: { type: 'MultiPolygon', coordinates: polygons.map((polygon) => polygon.map((ring) => ring.map((p) => [...p]))) },
    properties: { id, kind },
  }))
  return { type: 'FeatureCollection', features }
}
