/** Makes another generation of a district out of GeoJSON: some grids split, redrawn, renamed and left out. */
import type { Feature, FeatureCollection, MultiPolygon, Position } from 'geojson'
import { quantise } from '../src/geometry/coord'
import { pointInRings } from '../src/geometry/rings'

export type District = FeatureCollection<MultiPolygon, Record<string, string | number | number[]>>

export interface Redrawn {
  readonly district: District
  readonly split: string
  readonly renamed: string
  readonly gone: string
  /** Codes of the grids that share the moved corner. */
  readonly moved: readonly string[]
}

/** GeoJSON with every area as a MultiPolygon. */
export function multi(original: FeatureCollection): District {
  const features = original.features.map((f) => {
    const { geometry } = f
    if (geometry.type !== 'Polygon' && geometry.type !== 'MultiPolygon') throw new Error(`${geometry.type} is no area`)
    return { ...f, geometry: { type: 'MultiPolygon' as const, coordinates: geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates } }
  })
  return structuredClone({ ...original, features }) as District
}

export function redraw(original: District): Redrawn {
  const district = structuredClone(original)
  const { features } = district
  const code = (f: Feature): string => String(f.properties?.['code'])

  const whole = features.findIndex((f, i) => i > 20 && f.geometry.coordinates.length === 1 && f.geometry.coordinates[0]!.length === 1 && chordOf(f.geometry.coordinates[0]![0]!) !== null)
  const parent = features[whole]!
  const ring = parent.geometry.coordinates[0]![0]!
  const [i, j] = chordOf(ring)!
  const open = ring.slice(0, -1)
  const half = structuredClone(parent)
  parent.geometry.coordinates = [[[...open.slice(i, j + 1), open[i]!]]]
  half.geometry.coordinates = [[[...open.slice(j), ...open.slice(0, i + 1), open[j]!]]]
  half.id = 9999
  half.properties = { ...half.properties, id: 9999, code: `${code(parent)}B`, name: `${String(half.properties['name'])}东片` }
  features.splice(whole + 1, 0, half)

  const renamed = features[60]!
  renamed.properties = { ...renamed.properties, name: '更名网格' }
  const moved = moveCorner(features, new Set([code(parent), code(half), code(renamed)]))
  const gone = features.findLast((f) => !moved.includes(code(f)))!
  features.splice(features.indexOf(gone), 1)
  return { district, split: code(parent), renamed: code(renamed), gone: code(gone), moved }
}

/** Two corners of a ring with nothing but its inside between them, on either side a good part of it. */
function chordOf(ring: readonly Position[]): [number, number] | null {
  const n = ring.length - 1
  const corners = ring.slice(0, n).map((p) => quantise([p[0]!, p[1]!]))
  for (let i = 0; i < n / 2; i++) {
    const j = i + Math.floor(n / 2)
    const [a, b] = [corners[i]!, corners[j]!]
    const inside = Array.from({ length: 199 }, (_, k) => (k + 1) / 200).every((t) =>
      pointInRings({ x: Math.round(a.x + (b.x - a.x) * t), y: Math.round(a.y + (b.y - a.y) * t) }, [corners]))
    if (inside) return [i, j]
  }
  return null
}

/** Moves one corner that just two grids share by a metre or two, in both of them. */
function moveCorner(features: readonly Feature<MultiPolygon>[], spared: ReadonlySet<string>): string[] {
  const owners = new Map<string, Set<number>>()
  features.forEach((f, i) => f.geometry.coordinates.flat(2).forEach((p) => owners.set(p.join(), (owners.get(p.join()) ?? new Set()).add(i))))
  for (const [at, set] of owners) {
    const codes = [...set].map((i) => String(features[i]!.properties?.['code']))
    if (set.size !== 2 || codes.some((c) => spared.has(c))) continue
    for (const i of set) {
      for (const p of features[i]!.geometry.coordinates.flat(2)) if (p.join() === at) p[0] = Number((p[0]! + 0.00002).toFixed(7))
    }
    return codes
  }
  throw new Error('no corner is shared by two grids')
}
