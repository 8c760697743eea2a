/**
 * Positions. A `LonLat` is WGS-84 degrees, longitude first, as in GeoJSON and
 * on the wire; a `Coord` is the same position in whole units of 1e-7 degree
 * (about 1 cm), and every decision about sides is made on Coords.
 */
export type LonLat = readonly [lon: number, lat: number]

export interface Coord {
  readonly x: number
  readonly y: number
}

/** West, south, east, north. Degrees or Coord units, as its holder says. */
export type Bounds = readonly [west: number, south: number, east: number, north: number]

export const UNITS_PER_DEGREE = 1e7

/**
 * The Coord nearest to `p`, halves upwards: floor(degrees · 1e7 + 0.5), the
 * server's rule to the last unit. `p` must lie within ±180, ±90.
 */
export function quantise(p: LonLat): Coord {
  return { x: Math.floor(p[0] * UNITS_PER_DEGREE + 0.5), y: Math.floor(p[1] * UNITS_PER_DEGREE + 0.5) }
}

/** `c` in degrees, with at most seven decimals; quantises back to `c`. */
export function degrees(c: Coord): LonLat {
  return [c.x / UNITS_PER_DEGREE, c.y / UNITS_PER_DEGREE]
}

/** The smallest bounds that hold every point of `rings`, in Coord units; empty bounds are inside out. */
export function boundsOf(rings: readonly (readonly Coord[])[]): Bounds {
  let west = Infinity
  let south = Infinity
  let east = -Infinity
  let north = -Infinity
  for (const ring of rings) {
    for (const c of ring) {
      west = Math.min(west, c.x)
      south = Math.min(south, c.y)
      east = Math.max(east, c.x)
      north = Math.max(north, c.y)
    }
  }
  return [west, south, east, north]
}

/** The bounds that hold all of `list`. */
export function unionOf(list: Iterable<Bounds>): Bounds {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const b of list) {
    west = Math.min(west, b[0])
    south = Math.min(south, b[1])
    east = Math.max(east, b[2])
    north = Math.max(north, b[3])
  }
  return [west, south, east, north]
}

/** Bounds in Coord units, in degrees. */
export function boundsInDegrees(b: Bounds): Bounds {
  return [b[0] / UNITS_PER_DEGREE, b[1] / UNITS_PER_DEGREE, b[2] / UNITS_PER_DEGREE, b[3] / UNITS_PER_DEGREE]
}
