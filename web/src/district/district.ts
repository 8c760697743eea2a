import type { Grid, Grids } from '../api/grids'
import type { Street } from '../api/streets'
import { colour } from '../geometry/colouring'
import type { Bounds, Coord, LonLat } from '../geometry/coord'
import { boundsInDegrees, boundsOf, quantise } from '../geometry/coord'
import type { Net } from '../geometry/net'
import { FaceIndex, neighbours, outlineOf, ringsOf } from '../geometry/net'
import { simplifyRing } from '../geometry/simplify'

/** Street tones on the map. */
const TONES = 4

/** About 60 m: finer than a pixel wherever the halo of the outline is drawn. */
const OUTLINE_TOLERANCE = 5500

/** The grids and streets of one generation, ready to be drawn, searched and pointed at. Immutable. */
export class District {
  readonly hash: string
  readonly grids: readonly Grid[]
  readonly streets: readonly Street[]
  /** In degrees. */
  readonly bounds: Bounds
  /** Simplified, for a halo. */
  readonly outline: readonly (readonly Coord[])[]
  /** Street code → tone; neighbours differ. */
  readonly tones: ReadonlyMap<string, number>

  private readonly net: Net
  private readonly index: FaceIndex
  private readonly byId: ReadonlyMap<number, Grid>
  private readonly byCode: ReadonlyMap<string, Grid>

  constructor({ hash, grids, net }: Grids, streets: readonly Street[]) {
    this.hash = hash
    this.grids = grids
    this.streets = streets
    this.net = net
    this.index = new FaceIndex(net)
    this.byId = new Map(grids.map((grid) => [grid.id, grid]))
    this.byCode = new Map(grids.map((grid) => [grid.code, grid]))
    const whole = outlineOf(net, net.faces)
    this.bounds = boundsInDegrees(boundsOf(whole))
    this.outline = whole.map((ring) => simplifyRing(ring, OUTLINE_TOLERANCE))
    this.tones = colour(neighbours(net, (id) => this.byId.get(id)?.street.code ?? ''), TONES)
  }

  grid(code: string): Grid | undefined {
    return this.byCode.get(code)
  }

  gridOf(id: number): Grid | undefined {
    return this.byId.get(id)
  }

  street(code: string): Street | undefined {
    return this.streets.find((street) => street.code === code)
  }

  gridsOf(street: string): Grid[] {
    return this.grids.filter((grid) => grid.street.code === street)
  }

  /** The grid at `p` by the same rule as the server's. */
  at(p: LonLat): Grid | undefined {
    return this.byId.get(this.index.locate(quantise(p)))
  }

  /** The borders of the given grids taken together. */
  borders(ids: readonly number[]): Coord[][] {
    const wanted = new Set(ids)
    const faces = this.net.faces.filter((face) => wanted.has(face.id))
    const [only] = faces
    return only && faces.length === 1 ? ringsOf(this.net, only) : outlineOf(this.net, faces)
  }
}
