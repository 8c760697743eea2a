/**
 * The map of a district: the one place that knows MapLibre. It draws grids,
 * shows what is pointed at, and says where it was pressed; what a press means
 * is the app's business.
 */
import type { Feature, FeatureCollection, Geometry } from 'geojson'
import type { CanvasSource, GeoJSONSource, Map as MapLibre, MapMouseEvent } from 'maplibre-gl'
import { AttributionControl, LngLat } from 'maplibre-gl'
import type { Bounds, Coord, LonLat } from '../geometry/coord'
import { degrees } from '../geometry/coord'
import { palettes } from '../ui/palette'
import { flatMap } from './flat'
import { paintGlow } from './glow'
import type { Ground } from './ground'
import { BARE, GroundPlane } from './ground'
import { hatch } from './hatch'
import type { Texture } from './images'
import { clear, stipple } from './images'
import type { Look } from './style'
import { ANSWER, CHOSEN, GRIDS, HOVERED, LOWEST, LOWEST_LABEL, OWED, ROOM, districtLayers, districtStyle, glowLayer, gridsIn, owedName, stippleName } from './style'
import type { UnitMark } from './units-layer'
import { UnitsLayer } from './units-layer'

export interface View {
  readonly center: LonLat
  readonly zoom: number
}

/** Pixels of the map that panels cover. */
export interface Padding {
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly left: number
}

/** A resolved point, where its nearest border is, and what to write on the line between. */
export interface Answer {
  readonly at: LonLat
  readonly foot: LonLat | null
  readonly label: string
}

export interface DistrictMapOptions {
  readonly container: HTMLElement
  /** Where the grids' tiles are: an address with {z}, {x} and {y}, in the datum of the ground. */
  readonly tiles: string
  /** What lies under the district; `prepareGround` was awaited for it. */
  readonly ground?: Ground
  /** Of the whole district, in degrees. */
  readonly bounds: Bounds
  readonly outline: readonly (readonly Coord[])[]
  readonly look: Look
  readonly padding: Padding
  /** Null shows the whole district. */
  readonly view: View | null
  /** Jump instead of flying. */
  readonly still: boolean
  /** The accessible name of the map. */
  readonly title: string
  /** `unit` is the one drawn there, 0 for none. */
  onHover(at: LonLat | null, x: number, y: number, unit: number): void
  onPress(at: LonLat, unit: number): void
  onView(view: View): void
  /** Tiles did not arrive; `false` when they do again. */
  onTilesMissing(missing: boolean): void
}

/** Where the map is flying to. */
interface Flight {
  readonly center: [number, number]
  readonly zoom: number
  readonly padding?: Padding
}

const UNITS = 'units'
/** Pixels between a pointer and the middle of the unit it means; a finger is less exact. */
const REACH = 12
const TOUCH_REACH = 22

export class DistrictMap {
  protected readonly map: MapLibre
  private readonly fleet: UnitsLayer
  private readonly options: DistrictMapOptions
  private readonly ground: Ground
  protected readonly plane: GroundPlane
  protected look: Look
  private hoveredId = 0
  private chosenIds: readonly number[] = []
  private tilesMissing = false
  private loaded = false
  private flight: Flight | null = null
  private readonly waiting: (() => void)[] = []

  constructor(options: DistrictMapOptions) {
    this.options = options
    this.look = options.look
    this.ground = options.ground ?? BARE
    this.plane = new GroundPlane(this.ground.datum)
    this.map = flatMap({ container: options.container, style: districtStyle(options.tiles, options.look, this.ground), title: options.title, still: options.still, scaleBar: options.look.scale })
    if (this.ground.attribution) this.map.addControl(new AttributionControl({ compact: false, customAttribution: plain(this.ground.attribution) }), 'bottom-right')
    this.map.setPadding(options.padding)
    if (options.view) this.show(options.view)
    else this.fit(options.bounds, { jump: true })
    const [west, south, east, north] = options.bounds
    this.fleet = new UnitsLayer(UNITS, [(west + east) / 2, (south + north) / 2], options.still, options.look.scale, this.plane)
    this.fleet.setLook(palettes[options.look.theme], options.look.scale)
    this.whenLoaded(() => {
      this.addImages()
      this.layGlow()
      this.map.addLayer(this.fleet, LOWEST_LABEL)
      this.map.addLayer(this.fleet.above)
    })
    this.listen()
  }

  /** MapLibre's own object, for tests and for looking into the page from the console. */
  get inner(): unknown {
    return this.map
  }

  get view(): View {
    const { lng, lat } = this.map.getCenter()
    return { center: this.plane.from([lng, lat]), zoom: this.map.getZoom() }
  }

  setLook(look: Look): void {
    const repaint = look.theme !== this.look.theme || look.scale !== this.look.scale
    this.look = look
    this.whenLoaded(() => this.apply(look, repaint))
  }

  /** Panels moved: what stood in the middle of the clear part stays there, and a flight goes on. */
  setPadding(padding: Padding): void {
    if (this.flight) this.fly({ ...this.flight, padding })
    else this.map.setPadding(padding)
  }

  /** Lights up a grid, or none (0), as the one under the pointer. */
  hover(id: number, outline: readonly (readonly Coord[])[]): void {
    if (id === this.hoveredId) return
    this.flag(this.hoveredId, 'hovered', false)
    this.flag(id, 'hovered', true)
    this.hoveredId = id
    this.draw(HOVERED, rings(this.plane.rings(outline)))
  }

  /** Outlines what is chosen; `ids` are the grids that are filled as well. */
  choose(ids: readonly number[], outline: readonly (readonly Coord[])[]): void {
    for (const id of this.chosenIds) this.flag(id, 'chosen', false)
    for (const id of ids) this.flag(id, 'chosen', true)
    this.chosenIds = ids
    this.draw(CHOSEN, rings(this.plane.rings(outline)))
  }

  /** Marks a resolved point, or none. */
  answer(answer: Answer | null): void {
    const features: Feature[] = []
    if (answer) {
      const { label } = answer
      const at = this.plane.to(answer.at)
      const foot = answer.foot && this.plane.to(answer.foot)
      features.push(feature({ type: 'Point', coordinates: [...at] }, { part: 'point' }))
      if (foot) {
        features.push(feature({ type: 'LineString', coordinates: [[...at], [...foot]] }, { part: 'line', label }))
        features.push(feature({ type: 'Point', coordinates: [...foot] }, { part: 'foot' }))
      }
    }
    this.draw(ANSWER, { type: 'FeatureCollection', features })
  }

  /** Shows exactly these units, those of before moving to where they are now. */
  units(marks: Iterable<UnitMark>): void {
    this.fleet.show(marks)
  }

  /** Puts a ring round a unit, or round none (0). */
  chooseUnit(id: number): void {
    this.fleet.choose(id)
  }

  /** Hatches the grids that are owed a visit. */
  owe(ids: readonly number[]): void {
    this.whenLoaded(() => this.map.setFilter(OWED, gridsIn(ids)))
  }

  /** The unit drawn nearest to a pixel of the map; 0 for none near it. */
  unitAt(x: number, y: number, touch = false): number {
    return this.fleet.pick(x, y, (touch ? TOUCH_REACH : REACH) * this.look.scale)
  }

  /** Shows all of `bounds` (degrees), no closer than `maxZoom`. */
  fit(bounds: Bounds, { jump = false, maxZoom = 19 } = {}): void {
    const { clientWidth, clientHeight } = this.map.getContainer()
    const margin = Math.round(Math.min(clientWidth, clientHeight) / 24)
    const [west, south, east, north] = this.plane.bounds(bounds)
    const camera = this.map.cameraForBounds([west, south, east, north], { padding: margin, maxZoom })
    if (!camera?.center || camera.zoom === undefined) return
    const { lng, lat } = LngLat.convert(camera.center)
    if (jump) this.map.jumpTo({ center: [lng, lat], zoom: camera.zoom })
    else this.fly({ center: [lng, lat], zoom: camera.zoom })
  }

  /** Brings `at` to the middle, and no further away than `zoom`. */
  goTo(at: LonLat, zoom: number): void {
    const [lon, lat] = this.plane.to(at)
    this.fly({ center: [lon, lat], zoom: Math.max(zoom, this.map.getZoom()) })
  }

  show(view: View): void {
    const [lon, lat] = this.plane.to(view.center)
    this.map.jumpTo({ center: [lon, lat], zoom: view.zoom })
  }

  zoomBy(levels: number): void {
    this.map.zoomTo(this.map.getZoom() + levels, { animate: !this.options.still, duration: 250 })
  }

  home(): void {
    this.fit(this.options.bounds)
  }

  /** Whether `at` lies on the part of the map that no panel covers, or the map is on its way somewhere. */
  sees(at: LonLat): boolean {
    if (this.flight) return true
    const [lon, lat] = this.plane.to(at)
    const { x, y } = this.map.project([lon, lat])
    const { clientWidth, clientHeight } = this.map.getContainer()
    const pad = this.map.getPadding()
    return x > (pad.left ?? 0) && x < clientWidth - (pad.right ?? 0) && y > (pad.top ?? 0) && y < clientHeight - (pad.bottom ?? 0)
  }

  reloadTiles(): void {
    this.map.refreshTiles(GRIDS)
  }

  destroy(): void {
    this.map.remove()
  }

  private fly(to: Flight): void {
    if (this.options.still) {
      this.map.jumpTo(to)
      return
    }
    this.map.easeTo({ ...to, duration: 900 })
    // Only now: the end of an older flight was told within easeTo.
    this.flight = to
  }

  private listen(): void {
    const { map, options } = this
    const at = (e: MapMouseEvent): LonLat => this.plane.from([e.lngLat.lng, e.lngLat.lat])
    // Not `load`, which waits for the first tiles as well.
    map.once('style.load', () => {
      this.loaded = true
      for (const work of this.waiting.splice(0)) work()
    })
    map.on('mousemove', (e) => {
      const unit = this.unitAt(e.point.x, e.point.y)
      map.getCanvas().style.cursor = unit ? 'pointer' : ''
      options.onHover(at(e), e.point.x, e.point.y, unit)
    })
    map.on('mouseout', () => options.onHover(null, 0, 0, 0))
    map.on('dragstart', () => options.onHover(null, 0, 0, 0))
    const coarse = matchMedia('(pointer: coarse)').matches
    map.on('click', (e) => options.onPress(at(e), this.unitAt(e.point.x, e.point.y, coarse)))
    // A long press on a touch screen, the other button of a mouse: the place, whoever is there.
    map.on('contextmenu', (e) => {
      e.preventDefault()
      options.onPress(at(e), 0)
    })
    map.on('moveend', () => {
      this.flight = null
      options.onView(this.view)
    })
    map.getCanvas().addEventListener('keydown', (e) => {
      if (e.key !== 'Enter') return
      e.preventDefault()
      options.onPress(this.view.center, 0)
    })
    map.on('error', (e) => {
      if ('sourceId' in e && e.sourceId === GRIDS) this.tellTiles(true)
      else console.error(e.error)
    })
    map.on('data', (e) => {
      if (e.dataType === 'source' && e.sourceId === GRIDS && e.tile?.state === 'loaded') this.tellTiles(false)
    })
  }

  private apply(look: Look, repaint: boolean): void {
    if (repaint) this.layGlow()
    this.fleet.setLook(palettes[look.theme], look.scale)
    this.addImages()
    for (const layer of districtLayers(look, this.ground)) {
      for (const [key, value] of Object.entries(layer.paint ?? {})) this.map.setPaintProperty(layer.id, key as never, value as never)
      for (const [key, value] of Object.entries(layer.layout ?? {})) this.map.setLayoutProperty(layer.id, key as never, value as never)
      if ('minzoom' in layer || 'maxzoom' in layer) this.map.setLayerZoomRange(layer.id, layer.minzoom ?? 0, layer.maxzoom ?? 24)
    }
  }

  private tellTiles(missing: boolean): void {
    if (missing === this.tilesMissing) return
    this.tilesMissing = missing
    this.options.onTilesMissing(missing)
  }

  private addImages(): void {
    const { theme, scale } = this.look
    const images: [string, Texture][] = [[stippleName(theme), stipple(palettes[theme].urbanDots)], [owedName(theme), hatch('owed', palettes[theme].owed)], [ROOM, clear(32)]]
    for (const [name, image] of images) {
      if (this.map.hasImage(name)) this.map.removeImage(name)
      this.map.addImage(name, image, { pixelRatio: 2 / scale })
    }
  }

  private layGlow(): void {
    // The halo fills the district, too, and would hide a base map.
    if (this.options.outline.length === 0 || this.ground.layers.length > 0) return
    if (this.map.getLayer('glow')) this.map.removeLayer('glow')
    if (this.map.getSource<CanvasSource>('glow')) this.map.removeSource('glow')
    const { canvas, corners } = paintGlow(this.plane.rings(this.options.outline), palettes[this.look.theme].glow)
    this.map.addSource('glow', { type: 'canvas', canvas, coordinates: corners, animate: false })
    this.map.addLayer(glowLayer('glow', this.look.scale), LOWEST)
  }

  private flag(id: number, name: 'hovered' | 'chosen', on: boolean): void {
    if (id === 0) return
    this.whenLoaded(() => this.map.setFeatureState({ source: GRIDS, sourceLayer: 'grids', id }, { [name]: on }))
  }

  private draw(source: string, data: FeatureCollection): void {
    this.whenLoaded(() => this.map.getSource<GeoJSONSource>(source)?.setData(data))
  }

  /** Does `work` now, or in its turn once the map can take it. */
  protected whenLoaded(work: () => void): void {
    if (this.loaded) work()
    else this.waiting.push(work)
  }
}

function rings(list: readonly (readonly Coord[])[]): FeatureCollection {
  const lines = list.filter((ring) => ring.length > 0).map((ring) => [...ring, ring[0]!].map((c) => [...degrees(c)]))
  return { type: 'FeatureCollection', features: lines.length ? [feature({ type: 'MultiLineString', coordinates: lines }, {})] : [] }
}

/** Text as HTML that shows just that. */
function plain(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
}

function feature(geometry: Geometry, properties: Record<string, string>): Feature {
  return { type: 'Feature', geometry, properties }
}
