/** What the codes of cases stand for: items, streets, grids, departments, standards. */
import type { Catalogue, Item, Rules } from '../../api/catalogue'
import { fetchCatalogue, fetchRules } from '../../api/catalogue'
import type { Grid, Grids } from '../../api/grids'
import { fetchGrids } from '../../api/grids'
import type { Named } from '../../api/resolve'
import type { Bounds, LonLat } from '../../geometry/coord'
import { boundsInDegrees, boundsOf, quantise } from '../../geometry/coord'
import { FaceIndex } from '../../geometry/net'

export class Reference {
  readonly items: readonly Item[]
  /** Rows of the table of departments, street templates included. */
  readonly departments: readonly Named[]
  readonly streets: readonly Named[]
  readonly grids: readonly Grid[]
  /** Of the whole district, in degrees. */
  readonly bounds: Bounds
  private readonly itemBy: ReadonlyMap<string, Item>
  private readonly departmentBy: ReadonlyMap<string, Named>
  private readonly streetBy: ReadonlyMap<string, Named>
  private readonly gridBy: ReadonlyMap<string, Grid>
  private readonly gridOf: ReadonlyMap<number, Grid>
  private readonly index: FaceIndex

  constructor(
    readonly catalogue: Catalogue,
    readonly rules: Rules,
    { grids, net }: Grids,
  ) {
    this.items = catalogue.items
    this.departments = catalogue.departments
    this.grids = [...grids].sort((a, b) => (a.code < b.code ? -1 : 1))
    this.itemBy = new Map(catalogue.items.map((item) => [item.code, item]))
    this.departmentBy = new Map(catalogue.departments.map((d) => [d.code, d]))
    this.gridBy = new Map(grids.map((grid) => [grid.code, grid]))
    this.gridOf = new Map(grids.map((grid) => [grid.id, grid]))
    this.streetBy = new Map(this.grids.map((grid) => [grid.street.code, grid.street]))
    this.streets = [...this.streetBy.values()]
    this.index = new FaceIndex(net)
    this.bounds = boundsInDegrees(boundsOf(net.arcs))
  }

  item(code: string): Item | undefined {
    return this.itemBy.get(code)
  }

  /** The name of an item, or its code where the catalogue has it no more. */
  itemName(code: string): string {
    return this.itemBy.get(code)?.name ?? code
  }

  streetName(code: string): string {
    return this.streetBy.get(code)?.name ?? code
  }

  gridName(code: string): string {
    return this.gridBy.get(code)?.name ?? code
  }

  grid(code: string): Grid | undefined {
    return this.gridBy.get(code)
  }

  /** The grid at `p` by the server's rule, for a first word; the server's answer counts. */
  gridAt(p: LonLat): Grid | undefined {
    return this.gridOf.get(this.index.locate(quantise(p)))
  }

  departmentName(code: string): string {
    return departmentName(code, this.departmentBy, (street) => this.streetBy.get(street)?.name, (grid) => this.gridBy.get(grid)?.name)
  }

  /** The name of a standard cited as `B03/1`. */
  standardName(cited: string): string {
    const [code = '', version = ''] = cited.split('/')
    const named = this.rules.standards.find((s) => s.code === code && s.version === Number(version))
    return named?.name ? `《${named.name}》` : cited
  }

  coordination(code: string): string {
    return this.rules.coordination.find((k) => k.code === code)?.name ?? code
  }
}

/** The words that stand in a template's name for the street's and for the village's. */
const STREET_WORD = '街镇'
const VILLAGE_WORD = '村居'

/** What a department is called: one of the table, or a template's instance such as `310114004-S02`. */
export function departmentName(code: string, table: ReadonlyMap<string, Named>, street: (code: string) => string | undefined, grid: (code: string) => string | undefined): string {
  const plain = table.get(code)
  if (plain) return plain.name
  const dash = code.lastIndexOf('-')
  const template = table.get(code.slice(dash + 1))
  if (dash < 0 || !template) return code
  const where = code.slice(0, dash)
  if (template.name.startsWith(VILLAGE_WORD)) return (grid(where) ?? where) + template.name.slice(VILLAGE_WORD.length)
  return (street(where) ?? where) + (template.name.startsWith(STREET_WORD) ? template.name.slice(STREET_WORD.length) : template.name)
}

export async function loadReference(signal?: AbortSignal): Promise<Reference> {
  const [catalogue, rules, grids] = await Promise.all([fetchCatalogue(signal), fetchRules(signal), fetchGrids(signal)])
  return new Reference(catalogue, rules, grids)
}
