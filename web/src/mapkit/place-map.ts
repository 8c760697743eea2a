/** A small map to choose one place on: borders and names of the district, a pin, and how exact it is. */
import type { FeatureCollection } from 'geojson'
import type { GeoJSONSource, Map as MapLibre, StyleSpecification } from 'maplibre-gl'
import { Marker } from 'maplibre-gl'
import type { Bounds, LonLat } from '../geometry/coord'
import { scaleAt } from '../geometry/measure'
import type { Theme } from '../ui/palette'
import { palettes } from '../ui/palette'
import { flatMap } from './flat'

export interface PlaceMapOptions {
  readonly container: HTMLElement
  readonly bounds: Bounds
  readonly borders: readonly (readonly LonLat[])[]
  readonly names: readonly { readonly name: string; readonly at: LonLat; readonly street: boolean }[]
  readonly theme: Theme
  readonly still: boolean
  /** The accessible name of the map. */
  readonly title: string
  onPick(at: LonLat): void
}

const CIRCLE = 'circle'
const CLOSE = 15
const FONT = ['Inter Variable', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei']

export class PlaceMap {
  private readonly map: MapLibre
  private pin: Marker | null = null
  private loaded = false
  private circle: FeatureCollection = nothing()

  constructor(private readonly options: PlaceMapOptions) {
    this.map = flatMap({ container: options.container, style: styleOf(options), title: options.title, still: options.still, bounds: options.bounds, room: 12, minZoom: 8, scaleBar: 1 })
    this.map.once('style.load', () => {
      this.loaded = true
      this.draw()
    })
    this.map.on('click', (e) => options.onPick([e.lngLat.lng, e.lngLat.lat]))
    this.map.on('error', (e) => console.error(e.error))
  }

  /** MapLibre's own object, for tests. */
  get inner(): unknown {
    return this.map
  }

  /** Puts the pin, with a circle of `accuracyM` about it; `near` goes there as well. */
  show(at: LonLat, accuracyM: number, near: boolean): void {
    if (!this.pin) {
      this.pin = new Marker({ color: palettes[this.options.theme].urgent, draggable: true }).setLngLat([at[0], at[1]]).addTo(this.map)
      this.pin.on('dragend', () => {
        const to = this.pin?.getLngLat()
        if (to) this.options.onPick([to.lng, to.lat])
      })
    }
    this.pin.setLngLat([at[0], at[1]])
    this.circle = accuracyM > 0 ? round(at, accuracyM) : nothing()
    this.draw()
    if (near) this.map.jumpTo({ center: [at[0], at[1]], zoom: Math.max(this.map.getZoom(), CLOSE) })
  }

  destroy(): void {
    this.map.remove()
  }

  private draw(): void {
    if (this.loaded) this.map.getSource<GeoJSONSource>(CIRCLE)?.setData(this.circle)
  }
}

const nothing = (): FeatureCollection => ({ type: 'FeatureCollection', features: [] })

function round(at: LonLat, radiusM: number): FeatureCollection {
  const s = scaleAt(at[1])
  const ring = Array.from({ length: 65 }, (_, i) => {
    const a = (i / 64) * 2 * Math.PI
    return [at[0] + (radiusM * Math.cos(a)) / s.xM, at[1] + (radiusM * Math.sin(a)) / s.yM]
  })
  return { type: 'FeatureCollection', features: [{ type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [ring] } }] }
}

function styleOf({ theme, borders, names }: PlaceMapOptions): StyleSpecification {
  const p = palettes[theme]
  const lines: FeatureCollection = {
    type: 'FeatureCollection',
    features: borders.map((line) => ({ type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: line.map((q) => [...q]) } })),
  }
  const labels: FeatureCollection = {
    type: 'FeatureCollection',
    features: names.map((n) => ({ type: 'Feature', properties: { name: n.name, street: n.street }, geometry: { type: 'Point', coordinates: [...n.at] } })),
  }
  const halo = { 'text-halo-color': p.mapHalo, 'text-halo-width': 1.4 }
  return {
    version: 8,
    sources: {
      lines: { type: 'geojson', data: lines },
      labels: { type: 'geojson', data: labels },
      [CIRCLE]: { type: 'geojson', data: nothing() },
    },
    layers: [
      { id: 'page', type: 'background', paint: { 'background-color': p.tones[0] } },
      { id: 'borders', type: 'line', source: 'lines', paint: { 'line-color': p.outline, 'line-width': 1.6 } },
      { id: 'accuracy', type: 'fill', source: CIRCLE, paint: { 'fill-color': p.accent, 'fill-opacity': 0.25 } },
      {
        id: 'places', type: 'symbol', source: 'labels', filter: ['!', ['get', 'street']], minzoom: 11.5,
        layout: { 'text-field': ['get', 'name'], 'text-font': FONT, 'text-size': 12, 'text-max-width': 7, 'text-padding': 4 },
        paint: { 'text-color': p.mapTextDim, ...halo },
      },
      {
        id: 'streets', type: 'symbol', source: 'labels', filter: ['get', 'street'],
        layout: { 'text-field': ['get', 'name'], 'text-font': ['Bold', ...FONT], 'text-size': 14, 'text-max-width': 20 },
        paint: { 'text-color': p.mapText, ...halo },
      },
    ],
  }
}
