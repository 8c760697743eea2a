/** What every map of the application is: flat, north up, and of this service alone. */
import type { StyleSpecification } from 'maplibre-gl'
import { Map as MapLibre, ScaleControl, setWorkerUrl } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import 'maplibre-gl/dist/maplibre-gl.css'
import './flat.css'
import type { Bounds } from '../geometry/coord'

setWorkerUrl(workerUrl)

export interface FlatMapOptions {
  readonly container: HTMLElement
  readonly style: StyleSpecification
  /** The accessible name of the map. */
  readonly title: string
  /** Without animation. */
  readonly still: boolean
  /** What to show first, degrees, and pixels round it; the caller's business without them. */
  readonly bounds?: Bounds
  readonly room?: number | { readonly top: number; readonly right: number; readonly bottom: number; readonly left: number }
  readonly closest?: number
  readonly minZoom?: number
  readonly maxZoom?: number
  /** The size of the scale bar, 1 on a desk; none without. */
  readonly scaleBar?: number
}

export function flatMap({ container, style, title, still, bounds, room = 24, closest, minZoom = 7, maxZoom = 19, scaleBar }: FlatMapOptions): MapLibre {
  const map = new MapLibre({
    container,
    style,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    minZoom,
    maxZoom,
    renderWorldCopies: false,
    fadeDuration: still ? 0 : 200,
    locale: { 'Map.Title': title },
    ...(bounds && {
      bounds: [bounds[0], bounds[1], bounds[2], bounds[3]] as [number, number, number, number],
      fitBoundsOptions: { padding: room, ...(closest !== undefined && { maxZoom: closest }) },
    }),
  })
  map.touchZoomRotate.disableRotation()
  map.keyboard.disableRotation()
  if (scaleBar !== undefined) map.addControl(new ScaleControl({ maxWidth: 96 * scaleBar }), 'bottom-right')
  return map
}
