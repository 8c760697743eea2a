/**
 * A net of borders: every border is one arc, held once and shared by the two
 * faces beside it, so that neighbours cannot drift apart.
 */
import type { Bounds, Coord } from './coord'
import { boundsOf } from './coord'
import { pointInRings } from './rings'

/** A ring as the arcs that make it: `i` runs along arc i, `~i` against it. */
export type ArcRing = readonly number[]

export interface Face {
  readonly id: number
  /** Polygons, each its outer ring and then its holes. */
  readonly polygons: readonly (readonly ArcRing[])[]
}

export interface Net {
  readonly arcs: readonly (readonly Coord[])[]
  readonly faces: readonly Face[]
}

/** The vertices of `ring`, the first not repeated. */
export function verticesOf(net: Net, ring: ArcRing): Coord[] {
  const out: Coord[] = []
  for (const ref of ring) {
    const arc = net.arcs[ref < 0 ? ~ref : ref] ?? []
    const run = ref < 0 ? [...arc].reverse() : arc
    for (let i = 0; i + 1 < run.length; i++) out.push(run[i]!)
  }
  return out
}

/** All rings of `face`, outer ones and holes alike. */
export function ringsOf(net: Net, face: Face): Coord[][] {
  return face.polygons.flatMap((rings) => rings.map((ring) => verticesOf(net, ring)))
}

/** For each arc the ids of the faces beside it: two inside, one on the outline. */
export function sidesOf(net: Net): number[][] {
  const sides: number[][] = net.arcs.map(() => [])
  for (const face of net.faces) {
    for (const ref of face.polygons.flat(2)) sides[ref < 0 ? ~ref : ref]?.push(face.id)
  }
  return sides
}

/**
 * The rings that bound `faces` taken together: the arcs only one of them uses,
 * joined end to end. Where the outline touches itself the split is arbitrary.
 */
export function outlineOf(net: Net, faces: readonly Face[]): Coord[][] {
  const uses = new Map<number, number>()
  const refs = faces.flatMap((face) => face.polygons.flat(2))
  for (const ref of refs) {
    const arc = ref < 0 ? ~ref : ref
    uses.set(arc, (uses.get(arc) ?? 0) + 1)
  }
  const key = (c: Coord): string => `${c.x},${c.y}`
  const startingAt = new Map<string, Coord[][]>()
  for (const ref of refs) {
    const arc = net.arcs[ref < 0 ? ~ref : ref]
    if (!arc || uses.get(ref < 0 ? ~ref : ref) !== 1) continue
    const run = ref < 0 ? [...arc].reverse() : [...arc]
    const at = key(run[0]!)
    startingAt.set(at, [...(startingAt.get(at) ?? []), run])
  }
  const rings: Coord[][] = []
  for (const [start, runs] of startingAt) {
    for (let run = runs.pop(); run; run = runs.pop()) {
      const ring: Coord[] = []
      for (let step: Coord[] | undefined = run; step; ) {
        const end: string = key(step.at(-1)!)
        ring.push(...step.slice(0, -1))
        step = end === start ? undefined : startingAt.get(end)?.pop()
      }
      rings.push(ring)
    }
  }
  return rings
}

/** Which groups of faces share a border, when each face belongs to the group that `groupOf` names. */
export function neighbours(net: Net, groupOf: (face: number) => string): Map<string, Set<string>> {
  const beside = new Map<string, Set<string>>()
  for (const face of net.faces) beside.set(groupOf(face.id), new Set())
  for (const [a, b] of sidesOf(net)) {
    if (a === undefined || b === undefined) continue
    const [g, h] = [groupOf(a), groupOf(b)]
    if (g === h) continue
    beside.get(g)?.add(h)
    beside.get(h)?.add(g)
  }
  return beside
}

/** Finds faces by position. Immutable; about a microsecond a point at 417 faces. */
export class FaceIndex {
  private readonly entries: { id: number; rings: Coord[][]; bounds: Bounds }[]

  constructor(net: Net) {
    this.entries = net.faces.map((face) => {
      const rings = ringsOf(net, face)
      return { id: face.id, rings, bounds: boundsOf(rings) }
    })
  }

  /** The face that p falls in by the half-open rule, or 0 for none. */
  locate(p: Coord): number {
    for (const { id, rings, bounds: [west, south, east, north] } of this.entries) {
      if (p.x < west || p.x > east || p.y < south || p.y > north) continue
      if (pointInRings(p, rings)) return id
    }
    return 0
  }
}
