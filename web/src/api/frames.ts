/**
 * The frames of the live picture and of replay, and the fleet that they tell
 * of. A `snap` is everything there is to show; a `tick` is what changed since
 * the frame before it.
 */
import type { LonLat } from '../geometry/coord'
import type { Json } from './decode'

export type Seen = 'online' | 'silent'

/** A unit on duty that has a position. Instants are Unix milliseconds. */
export interface FleetUnit {
  readonly id: number
  readonly presence: Seen
  readonly sos: boolean
  /** Its device seems to send GCJ-02. */
  readonly suspectDatum: boolean
  /** Its phone says that the position is made up. */
  readonly mocked: boolean
  readonly at: LonLat
  /** When it was there, by the device's clock. */
  readonly fixed: number
  /** Null where the device does not tell. */
  readonly accuracyM: number | null
  readonly speedMps: number | null
  readonly headingDeg: number | null
  readonly batteryPct: number | null
  /** Ids of the confirmed grid and of the one that the point lies in; 0 for none. */
  readonly grid: number
  readonly raw: number
  /** In `grid` since then; null where that is not known. */
  readonly since: number | null
}

/** What is covered of one grid. */
export interface Cover {
  readonly grid: number
  readonly present: number
  readonly assigned: number
  /** Share that was passed this shift, from 0 to 1. */
  readonly swept: number
  /** Minutes since the last confirmed visit; null when none is known. */
  readonly unvisitedMin: number | null
  /** Minutes without a visit beyond what is owed. */
  readonly debtMin: number
}

export interface Frame {
  readonly kind: 'snap' | 'tick'
  /** The moment that it shows, Unix milliseconds. */
  readonly at: number
  /** Changes when units, teams or shifts were edited. */
  readonly roll: number
  /** The boundaries in force, 0 for none. */
  readonly generation: number
  readonly units: readonly FleetUnit[]
  /** On duty, and not heard of since the shift began. */
  readonly unheard: readonly number[]
  readonly gone: readonly number[]
  readonly covers: readonly Cover[]
}

/** What the rows of a stream's frames are made of: told by its `snap`, good for the ticks after it. */
export interface Layout {
  readonly origin: LonLat
  readonly units: Columns<(typeof UNIT)[number]>
  readonly grids: Columns<(typeof GRID)[number]>
}

interface Columns<Name extends string> {
  readonly width: number
  readonly place: Readonly<Record<Name, number>>
}

const UNIT = ['unit', 'presence', 'flags', 'x', 'y', 'age', 'accuracy', 'speed', 'heading', 'battery', 'grid', 'raw', 'dwell'] as const
const GRID = ['grid', 'present', 'assigned', 'swept', 'unvisited', 'debt'] as const

const SILENT = 3
const FLAGS = { sos: 1, datum: 2, mocked: 4 } as const
const PER_DEGREE = 1e5

/** Reads what a `snap` says of the rows to come. */
export function readLayout(json: Json): Layout {
  const [lon, lat] = json.at('origin').lonLat()
  const columns = json.at('columns')
  return { origin: [lon, lat], units: readColumns(columns.at('units'), UNIT), grids: readColumns(columns.at('grids'), GRID) }
}

function readColumns<Name extends string>(json: Json, wanted: readonly Name[]): Columns<Name> {
  const names = json.items().map((name) => name.text())
  const place = Object.fromEntries(
    wanted.map((name) => {
      const i = names.indexOf(name)
      if (i < 0) throw json.wrong(`a column ${name}`)
      return [name, i]
    }),
  ) as Record<Name, number>
  return { width: names.length, place }
}

export function readFrame(kind: Frame['kind'], json: Json, layout: Layout): Frame {
  const at = json.at('at').integer()
  return {
    kind,
    at,
    roll: json.at('roll').numberOr(0),
    generation: json.at('generation').numberOr(0),
    units: rows(json.at('units'), layout.units).map((row) => readUnit(row, at, layout.origin)),
    unheard: json.at('unheard').integersOrNone(),
    gone: json.at('gone').integersOrNone(),
    covers: rows(json.at('grids'), layout.grids).map(readCover),
  }
}

type Row<Name extends string> = (name: Name) => number

function rows<Name extends string>(json: Json, { width, place }: Columns<Name>): Row<Name>[] {
  const flat = json.integersOrNone()
  if (flat.length % width !== 0) throw json.wrong(`rows of ${width}`)
  return Array.from({ length: flat.length / width }, (_, row) => (name: Name) => flat[row * width + place[name]]!)
}

const known = (n: number): number | null => (n < 0 ? null : n)

function readUnit(row: Row<(typeof UNIT)[number]>, at: number, origin: LonLat): FleetUnit {
  const flags = row('flags')
  const speed = known(row('speed'))
  return {
    id: row('unit'),
    presence: row('presence') === SILENT ? 'silent' : 'online',
    sos: (flags & FLAGS.sos) !== 0,
    suspectDatum: (flags & FLAGS.datum) !== 0,
    mocked: (flags & FLAGS.mocked) !== 0,
    at: [(origin[0] + row('x')) / PER_DEGREE, (origin[1] + row('y')) / PER_DEGREE],
    fixed: at - row('age'),
    accuracyM: row('accuracy') || null,
    speedMps: speed === null ? null : speed / 10,
    headingDeg: known(row('heading')),
    batteryPct: known(row('battery')),
    grid: row('grid'),
    raw: row('raw'),
    since: row('dwell') > 0 ? at - row('dwell') : null,
  }
}

function readCover(row: Row<(typeof GRID)[number]>): Cover {
  return {
    grid: row('grid'),
    present: row('present'),
    assigned: row('assigned'),
    swept: row('swept') / 100,
    unvisitedMin: known(row('unvisited')),
    debtMin: row('debt'),
  }
}

/** Everything known after some frames. A value: `follow` makes the next. */
export interface Fleet {
  /** The moment shown; 0 before the first frame. */
  readonly at: number
  readonly roll: number
  readonly generation: number
  /** By id; null for one on duty that was not heard of since its shift began. */
  readonly units: ReadonlyMap<number, FleetUnit | null>
  readonly covers: ReadonlyMap<number, Cover>
}

export const NOBODY: Fleet = { at: 0, roll: 0, generation: 0, units: new Map(), covers: new Map() }

/** What is known once `frame` has come. */
export function follow(fleet: Fleet, frame: Frame): Fleet {
  const old = frame.kind === 'snap' ? NOBODY : fleet
  const units = new Map(old.units)
  for (const unit of frame.units) units.set(unit.id, unit)
  for (const id of frame.unheard) units.set(id, null)
  for (const id of frame.gone) units.delete(id)
  const covers = frame.covers.length === 0 ? old.covers : new Map(old.covers)
  for (const cover of frame.covers) (covers as Map<number, Cover>).set(cover.grid, cover)
  return { at: frame.at, roll: frame.roll, generation: frame.generation, units, covers }
}
