/** The map of a wall: the district with its units, and what is on it beside them. */
import type { Feature, FeatureCollection } from 'geojson'
import type { ExpressionSpecification, GeoJSONSource, LayerSpecification } from 'maplibre-gl'
import type { LonLat } from '../geometry/coord'
import { palettes } from '../ui/palette'
import type { CaseMark } from './case-marks'
import { caseMarks } from './case-marks'
import type { DistrictMapOptions } from './district-map'
import { DistrictMap } from './district-map'
import type { HeatSurfaces } from './heat-layer'
import { HeatLayer } from './heat-layer'
import type { Look } from './style'
import { LOWEST_LABEL, OWED } from './style'

export interface CaseDot {
  readonly id: number
  readonly at: LonLat
  readonly mark: CaseMark
  /** Stands out before all others of its mark. */
  readonly urgent: boolean
  /** Written beside it; empty for most. */
  readonly label: string
}

const CASES = 'cases'
const SPOT = 'spot'
const HEAT = 'heat'
const REACH = 10

export class WallMap extends DistrictMap {
  private readonly heat: HeatLayer

  constructor(options: DistrictMapOptions) {
    super(options)
    this.heat = new HeatLayer(HEAT, this.plane)
    this.heat.setLook(palettes[options.look.theme])
    this.whenLoaded(() => {
      this.addMarks()
      for (const name of [CASES, SPOT]) this.map.addSource(name, { type: 'geojson', data: collection([]) })
      this.map.addLayer(this.heat, OWED)
      for (const layer of caseLayers(this.look)) this.map.addLayer(layer, layer.id === 'case-label' ? undefined : LOWEST_LABEL)
    })
  }

  override setLook(look: Look): void {
    super.setLook(look)
    this.heat.setLook(palettes[look.theme])
    this.whenLoaded(() => {
      this.addMarks()
      for (const layer of caseLayers(look)) {
        for (const [key, value] of Object.entries(layer.paint ?? {})) this.map.setPaintProperty(layer.id, key as never, value as never)
        for (const [key, value] of Object.entries(layer.layout ?? {})) this.map.setLayoutProperty(layer.id, key as never, value as never)
      }
    })
  }

  /** Shows exactly these cases. */
  cases(dots: readonly CaseDot[]): void {
    const features = dots.map(({ id, at, mark, urgent, label }): Feature => {
      const [lon, lat] = this.plane.to(at)
      return { type: 'Feature', geometry: { type: 'Point', coordinates: [lon, lat] }, properties: { id, mark, label, rank: RANK[mark] + (urgent ? 3 : 0) } }
    })
    this.put(CASES, features)
  }

  /** Shows the density of cases, or none. */
  density(surfaces: HeatSurfaces | null): void {
    this.heat.show(surfaces)
  }

  /** The step of the density that is shown; between two, both are mixed. */
  densityAt(step: number): void {
    this.heat.setTime(step)
  }

  /** Puts a ring round a place, or round none. */
  spot(at: LonLat | null): void {
    this.put(SPOT, at ? [{ type: 'Feature', geometry: { type: 'Point', coordinates: [...this.plane.to(at)] }, properties: {} }] : [])
  }

  /** The case drawn at a pixel of the map; 0 for none. */
  caseAt(x: number, y: number): number {
    if (!this.map.getLayer('case-mark')) return 0
    const [near] = this.map.queryRenderedFeatures([[x - REACH, y - REACH], [x + REACH, y + REACH]], { layers: ['case-mark'] })
    return Number(near?.properties['id'] ?? 0)
  }

  private put(source: string, features: Feature[]): void {
    this.whenLoaded(() => this.map.getSource<GeoJSONSource>(source)?.setData(collection(features)))
  }

  private addMarks(): void {
    const marks = caseMarks(palettes[this.look.theme], 16)
    for (const [name, image] of Object.entries(marks)) {
      const id = `case-${name}`
      if (this.map.hasImage(id)) this.map.removeImage(id)
      this.map.addImage(id, image, { pixelRatio: 2 / this.look.scale })
    }
  }
}

const RANK: Readonly<Record<CaseMark, number>> = { calm: 0, near: 1, late: 2 }

/** What is calm shows from nearer on; from afar it would hide the district. */
function caseLayers({ theme, scale }: Look): LayerSpecification[] {
  const p = palettes[theme]
  const dz = Math.log2(scale)
  const size = (far: number, near: number): ExpressionSpecification => ['interpolate', ['linear'], ['zoom'], 9.5 + dz, far, 15 + dz, near]
  return [
    {
      id: 'case-mark', type: 'symbol', source: CASES,
      layout: {
        'icon-image': ['concat', 'case-', ['get', 'mark']], 'icon-allow-overlap': true, 'icon-ignore-placement': true,
        'icon-size': ['interpolate', ['linear'], ['zoom'], 9.5 + dz, ['match', ['get', 'mark'], 'late', 0.6, 'near', 0.5, 0.42], 15 + dz, 1.1],
        'symbol-sort-key': ['get', 'rank'],
      },
      paint: { 'icon-opacity': ['interpolate', ['linear'], ['zoom'], 10 + dz, ['match', ['get', 'mark'], 'calm', 0.55, 1], 13 + dz, 1] },
    },
    {
      id: 'case-label', type: 'symbol', source: CASES, filter: ['!=', ['get', 'label'], ''],
      layout: {
        'text-field': ['get', 'label'], 'text-font': ['Bold', 'Inter Variable', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei'], 'text-size': size(10.5 * scale, 13 * scale),
        'text-variable-anchor': ['left', 'right', 'top', 'bottom'], 'text-radial-offset': 0.9, 'text-padding': 4 * scale, 'text-max-width': 14,
        'symbol-sort-key': ['-', 0, ['get', 'rank']],
      },
      paint: { 'text-color': p.mapText, 'text-halo-color': p.mapHalo, 'text-halo-width': 1.6 * scale },
    },
    { id: 'spot-under', type: 'circle', source: SPOT, paint: { 'circle-radius': 15 * scale, 'circle-opacity': 0, 'circle-stroke-color': p.markEdge, 'circle-stroke-width': 5 * scale, 'circle-stroke-opacity': 0.8 } },
    { id: 'spot', type: 'circle', source: SPOT, paint: { 'circle-radius': 15 * scale, 'circle-opacity': 0, 'circle-stroke-color': p.mark, 'circle-stroke-width': 2.4 * scale } },
  ]
}

function collection(features: Feature[]): FeatureCollection {
  return { type: 'FeatureCollection', features }
}
