/** The map of one track: the way, its trips, where it stopped, and one moment of it. */
import type { Feature } from 'geojson'
import type { LayerSpecification } from 'maplibre-gl'
import type { LonLat } from '../geometry/coord'
import { palettes } from '../ui/palette'
import type { OverlayOptions } from './overlay-map'
import { OverlayMap } from './overlay-map'
import type { Look } from './style'

/** What is drawn of a track. */
export interface Drawn {
  readonly line: readonly LonLat[]
  readonly trips: readonly (readonly LonLat[])[]
  readonly stops: readonly LonLat[]
}

export type TrackMapOptions = OverlayOptions

const TRACK = 'track'
const MOMENT = 'moment'
const CLOSEST = 17

export class TrackMap extends OverlayMap<TrackMapOptions> {
  constructor(options: TrackMapOptions) {
    super(options, { sources: [TRACK, MOMENT], layers: trackLayers(options.look) })
  }

  /** Draws a track and shows all of it. */
  draw({ line, trips, stops }: Drawn): void {
    const features: Feature[] = [
      ...(line.length > 1 ? [feature({ type: 'LineString', coordinates: copies(line) }, 'all')] : []),
      ...trips.map((trip) => feature({ type: 'LineString', coordinates: copies(trip) }, 'trip')),
      ...stops.map((at, i) => feature({ type: 'Point', coordinates: [...at] }, 'stop', String(i + 1))),
      ...ends(line),
    ]
    this.put(TRACK, features)
    if (line.length > 0) this.fit(line)
  }

  /** Shows the part of the track that `line` is. */
  fit(line: readonly LonLat[]): void {
    const lons = line.map((p) => p[0])
    const lats = line.map((p) => p[1])
    const least = (list: number[]): number => list.reduce((a, b) => Math.min(a, b))
    const most = (list: number[]): number => list.reduce((a, b) => Math.max(a, b))
    this.map.fitBounds([least(lons), least(lats), most(lons), most(lats)], { padding: 48, maxZoom: CLOSEST, animate: !this.options.still, duration: 600 })
  }

  /** Marks one place of the track, or none. */
  mark(at: LonLat | null): void {
    this.put(MOMENT, at ? [feature({ type: 'Point', coordinates: [...at] }, 'moment')] : [])
  }
}

function trackLayers({ theme, scale }: Look): LayerSpecification[] {
  const p = palettes[theme]
  const joined = { 'line-join': 'round', 'line-cap': 'round' } as const
  const part = (name: string): ['==', ['get', 'part'], string] => ['==', ['get', 'part'], name]
  return [
    { id: 'track-all', type: 'line', source: TRACK, filter: part('all'), layout: joined, paint: { 'line-color': p.track, 'line-width': 1.2 * scale, 'line-opacity': 0.5, 'line-dasharray': [2, 2] } },
    { id: 'track-under', type: 'line', source: TRACK, filter: part('trip'), layout: joined, paint: { 'line-color': p.markEdge, 'line-width': 5 * scale, 'line-opacity': 0.8 } },
    { id: 'track-trip', type: 'line', source: TRACK, filter: part('trip'), layout: joined, paint: { 'line-color': p.track, 'line-width': 2.6 * scale } },
    { id: 'track-end', type: 'circle', source: TRACK, filter: part('end'), paint: { 'circle-radius': 4 * scale, 'circle-color': p.track, 'circle-stroke-color': p.markEdge, 'circle-stroke-width': 1.5 * scale } },
    { id: 'track-stop', type: 'circle', source: TRACK, filter: part('stop'), paint: { 'circle-radius': 9 * scale, 'circle-color': p.stop, 'circle-stroke-color': p.markEdge, 'circle-stroke-width': 2 * scale } },
    {
      id: 'track-stop-name', type: 'symbol', source: TRACK, filter: part('stop'),
      layout: { 'text-field': ['get', 'name'], 'text-font': ['Bold', 'Inter Variable', 'Noto Sans CJK SC'], 'text-size': 11 * scale, 'text-allow-overlap': true },
      paint: { 'text-color': p.markEdge },
    },
    { id: 'track-moment', type: 'circle', source: MOMENT, paint: { 'circle-radius': 7 * scale, 'circle-color': p.urgent, 'circle-stroke-color': p.mapText, 'circle-stroke-width': 2 * scale } },
  ]
}

function ends(line: readonly LonLat[]): Feature[] {
  const [first] = line
  const last = line[line.length - 1]
  return first && last ? [first, last].map((at) => feature({ type: 'Point', coordinates: [...at] }, 'end')) : []
}

const copies = (line: readonly LonLat[]): number[][] => line.map((p) => [...p])

function feature(geometry: Feature['geometry'], part: string, name = ''): Feature {
  return { type: 'Feature', geometry, properties: { part, name } }
}
