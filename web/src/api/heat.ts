import type { Bounds } from '../geometry/coord'
import { ApiFault } from './fault'
import { get, getBytes } from './client'
import { Json } from './decode'

/** Counts of cases by cell, one raster after the other in time. */
export interface HeatFrames {
  /** Unix milliseconds. */
  readonly from: number
  readonly stepMs: number
  /** West, south, east, north of the raster, degrees. */
  readonly bounds: Bounds
  readonly width: number
  readonly height: number
  /** A byte a cell, the first is the cell in the south-west; 255 stands for the brightest. */
  readonly frames: readonly Uint8Array[]
  readonly totals: readonly number[]
}

/** Counts step by step, and what is usual at that time of the week. */
export interface Intake {
  readonly from: number
  readonly stepMs: number
  readonly totals: readonly number[]
  readonly usual: readonly number[]
}

export function fetchHeat(query: Record<string, string>, signal?: AbortSignal): Promise<HeatFrames> {
  return getBytes('/api/v1/heat/series', { ...query, by: 'density' }, readFrames, signal)
}

export function fetchIntake(query: Record<string, string>, signal?: AbortSignal): Promise<Intake> {
  return get('/api/v1/heat/series', { ...query, usual: '1' }, readIntake, signal)
}

/** Four bytes of length, a header as JSON, and the frames one after the other. */
export function readFrames(bytes: ArrayBuffer): HeatFrames {
  const length = bytes.byteLength < 4 ? 0 : new DataView(bytes).getUint32(0, true)
  if (length === 0 || 4 + length > bytes.byteLength) throw new ApiFault('unreadable', 'heat: no header')
  const head = new Json(JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length))))
  const raster = head.at('raster')
  const [west, south] = [raster.at('west').number(), raster.at('south').number()]
  const [width, height] = [raster.at('width').integer(), raster.at('height').integer()]
  const totals = head.at('totals').items().map((n) => n.integer())
  const cells = width * height
  if (bytes.byteLength - 4 - length !== cells * totals.length) throw new ApiFault('unreadable', `heat: ${bytes.byteLength} bytes are not ${totals.length} frames of ${cells}`)
  return {
    from: head.at('from').instant(),
    stepMs: head.at('step_s').integer() * 1000,
    bounds: [west, south, west + width * raster.at('cell_lon').number(), south + height * raster.at('cell_lat').number()],
    width,
    height,
    frames: totals.map((_, i) => new Uint8Array(bytes, 4 + length + i * cells, cells)),
    totals,
  }
}

export function readIntake(json: Json): Intake {
  return {
    from: json.at('from').instant(),
    stepMs: json.at('step_s').integer() * 1000,
    totals: json.at('totals').itemsOrNone().map((n) => n.integer()),
    usual: json.at('usual').itemsOrNone().map((n) => n.number()),
  }
}
