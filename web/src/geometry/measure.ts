import type { Coord, LonLat } from './coord'
import { degrees, quantise } from './coord'

const SEMI_MAJOR_M = 6378137
const FLATTENING = 1 / 298.257223563
const ECC2 = FLATTENING * (2 - FLATTENING)

/** Metres in one degree of longitude and of latitude. */
export interface Scale {
  readonly xM: number
  readonly yM: number
}

/**
 * The scale around a latitude on the WGS-84 ellipsoid. It makes a plane of a
 * neighbourhood: within 50 km, lengths are good to 0.1 %.
 */
export function scaleAt(latDeg: number): Scale {
  const lat = (latDeg * Math.PI) / 180
  const w2 = 1 - ECC2 * Math.sin(lat) ** 2
  const n = SEMI_MAJOR_M / Math.sqrt(w2)
  const m = (n * (1 - ECC2)) / w2
  return { xM: (n * Math.cos(lat) * Math.PI) / 180, yM: (m * Math.PI) / 180 }
}

/** Distance in metres by the mid-latitude formula, good to 0.1 % up to about 500 km. */
export function distanceM(a: LonLat, b: LonLat): number {
  const s = scaleAt((a[1] + b[1]) / 2)
  return Math.hypot((b[0] - a[0]) * s.xM, (b[1] - a[1]) * s.yM)
}

/** Where a border is nearest, and how far that is. */
export interface Foot {
  readonly at: LonLat
  readonly distanceM: number
}

/** The point of `rings` nearest to `p`, or null when there is no edge. Rings close by themselves. */
export function nearestOnRings(p: LonLat, rings: readonly (readonly Coord[])[]): Foot | null {
  const s = scaleAt(p[1])
  const origin = quantise(p)
  const kx = s.xM / 1e7
  const ky = s.yM / 1e7
  let best = Infinity
  let at: LonLat | null = null
  for (const ring of rings) {
    let prev = ring.at(-1)
    for (const c of ring) {
      if (prev === undefined) break
      const ax = (prev.x - origin.x) * kx
      const ay = (prev.y - origin.y) * ky
      const dx = (c.x - prev.x) * kx
      const dy = (c.y - prev.y) * ky
      const length2 = dx * dx + dy * dy
      const t = length2 > 0 ? Math.min(1, Math.max(0, -(ax * dx + ay * dy) / length2)) : 0
      const d = Math.hypot(ax + t * dx, ay + t * dy)
      if (d < best) {
        best = d
        at = degrees({ x: prev.x + t * (c.x - prev.x), y: prev.y + t * (c.y - prev.y) })
      }
      prev = c
    }
  }
  return at && { at, distanceM: best }
}
