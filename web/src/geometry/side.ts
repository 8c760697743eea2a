import type { Coord } from './coord'

/**
 * The sign of twice the area of a, b, p: 1 when p lies left of a→b, 0 when the
 * three are in line, -1 right of it. Exact for any Coords: differences have up
 * to 33 bits and their products 66, which a double does not hold, so a result
 * smaller than the rounding error of its two products is worked out again in
 * BigInt. (The bound is Shewchuk's ccwerrboundA.)
 */
export function crossSign(a: Coord, b: Coord, p: Coord): -1 | 0 | 1 {
  const left = (b.x - a.x) * (p.y - a.y)
  const right = (b.y - a.y) * (p.x - a.x)
  const det = left - right
  if (Math.abs(det) > 3.3306690738754716e-16 * (Math.abs(left) + Math.abs(right))) {
    return det > 0 ? 1 : -1
  }
  const exact = BigInt(b.x - a.x) * BigInt(p.y - a.y) - BigInt(b.y - a.y) * BigInt(p.x - a.x)
  return exact > 0n ? 1 : exact < 0n ? -1 : 0
}

/**
 * Whether a→b is the direction in which an undirected edge is taken: towards
 * greater y or, when horizontal, towards lesser x.
 */
export function upward(a: Coord, b: Coord): boolean {
  return a.y < b.y || (a.y === b.y && a.x > b.x)
}

/**
 * The half-open rule, the same as the server's: whether p lies left of the
 * upward edge a→b, where a point on the edge counts as if it lay an
 * infinitesimal step to the east and, far smaller, to the north. A point on a
 * border belongs to the grid east of it; on an east–west border, north of it.
 */
export function leftOf(a: Coord, b: Coord, p: Coord): boolean {
  return crossSign(a, b, p) > 0
}
