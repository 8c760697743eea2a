import type { Coord } from './coord'
import { leftOf } from './side'

/**
 * Whether p lies inside `rings` by the half-open rule: with neighbours that
 * share their vertices, every point falls in exactly one of them. Outer rings
 * and holes come in any order and direction; a ring's first vertex is not
 * repeated at its end.
 */
export function pointInRings(p: Coord, rings: readonly (readonly Coord[])[]): boolean {
  let inside = false
  for (const ring of rings) {
    let prev = ring.at(-1)
    for (const c of ring) {
      if (prev !== undefined && prev.y <= p.y !== c.y <= p.y) {
        const [low, high] = prev.y < c.y ? [prev, c] : [c, prev]
        if (leftOf(low, high, p)) inside = !inside
      }
      prev = c
    }
  }
  return inside
}
