import type { Coord } from './coord'

/**
 * `ring` with fewer vertices, none of which it left further than `tolerance`
 * Coord units from the new line (Douglas–Peucker). For drawing only: the
 * result may cross itself or its neighbours.
 */
export function simplifyRing(ring: readonly Coord[], tolerance: number): Coord[] {
  const first = ring[0]
  if (!first || ring.length < 4) return [...ring]
  let far = 0
  ring.forEach((c, i) => {
    if (Math.hypot(c.x - first.x, c.y - first.y) > Math.hypot(ring[far]!.x - first.x, ring[far]!.y - first.y)) far = i
  })
  const keep = new Uint8Array(ring.length + 1)
  keep[0] = keep[far] = 1
  const closed = [...ring, first]
  const spans: [number, number][] = [[0, far], [far, ring.length]]
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [from, to] = span
    let worst = tolerance
    let at = -1
    for (let i = from + 1; i < to; i++) {
      const d = segmentDistance(closed[i]!, closed[from]!, closed[to]!)
      if (d > worst) [worst, at] = [d, i]
    }
    if (at < 0) continue
    keep[at] = 1
    spans.push([from, at], [at, to])
  }
  return ring.filter((_c, i) => keep[i])
}

function segmentDistance(p: Coord, a: Coord, b: Coord): number {
  const dx = b.x - a.x
  const dy = b.y - a.y
  const length2 = dx * dx + dy * dy
  const t = length2 > 0 ? Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / length2)) : 0
  return Math.hypot(a.x + t * dx - p.x, a.y + t * dy - p.y)
}
