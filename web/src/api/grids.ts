import type { Coord, LonLat } from '../geometry/coord'
import { quantise } from '../geometry/coord'
import type { Face, Net } from '../geometry/net'
import { get } from './client'
import type { Json } from './decode'
import type { GridRef, Named } from './resolve'
import { readKind } from './resolve'

/** A grid with everything the server knows about it but its borders. */
export interface Grid extends GridRef {
  readonly street: Named
  readonly department: Named
  readonly areaM2: number
  /** A point well inside. */
  readonly label: LonLat
}

/** All grids of the generation in force and the net of their borders; a grid's id is its face. */
export interface Grids {
  /** Of the content; changes with every generation. Empty when the server does not tell. */
  readonly hash: string
  readonly grids: readonly Grid[]
  readonly net: Net
}

/** The grids in force at `at` (Unix milliseconds), or now, as topology: every border once, a third of the bytes of GeoJSON. */
export function fetchGrids(signal?: AbortSignal, at: number | null = null): Promise<Grids> {
  return get('/api/v1/grids', { format: 'topojson', ...inForceAt(at) }, readGrids, signal)
}

/** Reads the object `grids` of a TopoJSON topology with or without `transform`. */
export function readGrids(json: Json): Grids {
  const arcs = readArcs(json)
  const grids: Grid[] = []
  const faces: Face[] = []
  for (const geometry of json.at('objects').at('grids').at('geometries').items()) {
    const grid = readGrid(geometry.at('properties'))
    grids.push(grid)
    faces.push({ id: grid.id, polygons: readPolygons(geometry, arcs.length) })
  }
  const generation = json.at('generation')
  return { hash: generation.absent ? '' : generation.at('hash').textOr(''), grids, net: { arcs, faces } }
}

function readGrid(json: Json): Grid {
  const label = json.at('label')
  return {
    id: json.at('id').integer(),
    code: json.at('code').text(),
    name: json.at('name').text(),
    kind: readKind(json.at('kind')),
    street: { code: json.at('street').textOr(''), name: json.at('street_name').textOr('') },
    department: { code: json.at('department').textOr(''), name: json.at('department_name').textOr('') },
    areaM2: json.at('area_m2').number(),
    label: label.lonLat(),
  }
}

function readArcs(json: Json): Coord[][] {
  const transform = json.at('transform')
  if (transform.absent) {
    return json.at('arcs').items().map((arc) => arc.items().map((p) => quantise(p.lonLat())))
  }
  const [kx, ky] = transform.at('scale').lonLat()
  const [dx, dy] = transform.at('translate').lonLat()
  return json.at('arcs').items().map((arc) => {
    let x = 0
    let y = 0
    return arc.items().map((step) => {
      const [stepX, stepY] = step.lonLat()
      x += stepX
      y += stepY
      return quantise([x * kx + dx, y * ky + dy])
    })
  })
}

function readPolygons(geometry: Json, arcCount: number): number[][][] {
  const type = geometry.at('type').text()
  const arcs = geometry.at('arcs')
  if (type === 'Polygon') return [readRings(arcs, arcCount)]
  if (type === 'MultiPolygon') return arcs.items().map((polygon) => readRings(polygon, arcCount))
  throw geometry.at('type').wrong('Polygon or MultiPolygon')
}

function readRings(json: Json, arcCount: number): number[][] {
  return json.items().map((ring) =>
    ring.items().map((item) => {
      const ref = item.integer()
      if ((ref < 0 ? ~ref : ref) >= arcCount) throw item.wrong(`an arc below ${arcCount}`)
      return ref
    }),
  )
}

/** The query for borders of another instant than now. */
export function inForceAt(at: number | null): Record<string, string> {
  return at === null ? {} : { at: new Date(at).toISOString() }
}
