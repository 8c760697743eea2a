/** The map beside a queue: every case of it where it lies, the one that is open, and the one pointed at. */
import type { Feature } from 'geojson'
import type { ExpressionSpecification, LayerSpecification, MapMouseEvent } from 'maplibre-gl'
import type { Bounds, LonLat } from '../geometry/coord'
import { palettes } from '../ui/palette'
import type { CaseMark } from './case-marks'
import { caseMarks } from './case-marks'
import type { OverlayOptions } from './overlay-map'
import { OverlayMap } from './overlay-map'
import type { Look } from './style'

export interface CasePoint {
  readonly id: number
  readonly at: LonLat
  readonly mark: CaseMark
}

export interface CaseMapOptions extends OverlayOptions {
  /** A case was pressed, or the place where there is none (0). */
  onPress(id: number, at: LonLat): void
  /** The case under the pointer, 0 for none. */
  onHover(id: number): void
}

const CASES = 'cases'
const SHOWN = 'case-shown'
const PICKED = 'case-picked'
const REACH = 8
const CLOSEST = 17

export class CaseMap extends OverlayMap<CaseMapOptions> {
  private hovered = 0

  constructor(options: CaseMapOptions) {
    const { look } = options
    super(options, { sources: [CASES, SHOWN, PICKED], layers: caseLayers(look), images: caseMarks(palettes[look.theme], 18) })
    this.map.on('click', (e) => options.onPress(this.caseAt(e), [e.lngLat.lng, e.lngLat.lat]))
    this.map.on('mousemove', (e) => this.hover(this.caseAt(e)))
    this.map.on('mouseout', () => this.hover(0))
  }

  /** Shows exactly these cases. */
  draw(points: readonly CasePoint[]): void {
    this.put(CASES, points.map(({ id, at, mark }) => ({ type: 'Feature', id, geometry: { type: 'Point', coordinates: [at[0], at[1]] }, properties: { id, mark } })))
  }

  /** Puts a ring round the place of a case, or round none. */
  show(at: LonLat | null): void {
    this.put(SHOWN, at ? [point(at)] : [])
  }

  /** Marks a place that is being chosen, or none. */
  pick(at: LonLat | null): void {
    this.put(PICKED, at ? [point(at)] : [])
  }

  /** Brings `at` into sight, if it is not, and no further away than `zoom`. */
  goTo(at: LonLat, zoom: number): void {
    if (this.map.getBounds().contains([at[0], at[1]]) && this.map.getZoom() >= zoom) return
    this.map.easeTo({ center: [at[0], at[1]], zoom: Math.min(Math.max(zoom, this.map.getZoom()), CLOSEST), animate: !this.options.still, duration: 500 })
  }

  fit(bounds: Bounds): void {
    this.map.fitBounds([bounds[0], bounds[1], bounds[2], bounds[3]], { padding: 32, maxZoom: 16, animate: !this.options.still, duration: 500 })
  }

  resize(): void {
    this.map.resize()
  }

  private caseAt(e: MapMouseEvent): number {
    if (!this.loaded) return 0
    const { x, y } = e.point
    const [near] = this.map.queryRenderedFeatures([[x - REACH, y - REACH], [x + REACH, y + REACH]], { layers: ['case-mark'] })
    return Number(near?.properties['id'] ?? 0)
  }

  private hover(id: number): void {
    if (id === this.hovered) return
    this.hovered = id
    this.map.getCanvas().style.cursor = id ? 'pointer' : ''
    this.options.onHover(id)
  }
}

function caseLayers({ theme, scale }: Look): LayerSpecification[] {
  const p = palettes[theme]
  const rank: ExpressionSpecification = ['match', ['get', 'mark'], 'late', 2, 'near', 1, 0]
  const size = (far: number, near: number): ExpressionSpecification => ['interpolate', ['linear'], ['zoom'], 9, far, 15, near]
  return [
    {
      id: 'case-mark', type: 'symbol', source: CASES,
      layout: {
        'icon-image': ['get', 'mark'], 'icon-allow-overlap': true, 'icon-ignore-placement': true, 'icon-size': size(0.55, 1.1), 'symbol-sort-key': rank,
      },
    },
    { id: 'case-shown-under', type: 'circle', source: SHOWN, paint: { 'circle-radius': 13 * scale, 'circle-opacity': 0, 'circle-stroke-color': p.markEdge, 'circle-stroke-width': 5 * scale, 'circle-stroke-opacity': 0.8 } },
    { id: 'case-shown', type: 'circle', source: SHOWN, paint: { 'circle-radius': 13 * scale, 'circle-opacity': 0, 'circle-stroke-color': p.mark, 'circle-stroke-width': 2.4 * scale } },
    { id: 'case-picked', type: 'circle', source: PICKED, paint: { 'circle-radius': 7 * scale, 'circle-color': p.mark, 'circle-stroke-color': p.markEdge, 'circle-stroke-width': 2 * scale } },
  ]
}

function point(at: LonLat): Feature {
  return { type: 'Feature', geometry: { type: 'Point', coordinates: [at[0], at[1]] }, properties: {} }
}
