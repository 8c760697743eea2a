import type { Cover, Fleet } from '../api/frames'
import type { Unit, UnitKind } from '../api/units'
import type { UnitMark, UnitShape } from '../mapkit/units-layer'

export const SHAPE_OF: Readonly<Record<UnitKind, UnitShape>> = { 'grid-patrol': 'circle', 'mobile-patrol': 'triangle', vehicle: 'square' }

/** Below walking pace a heading is noise. */
const HEADING_FROM_MPS = 0.7

/** The units of a fleet as the map draws them; one that is not on the roll yet is drawn as a grid patrol. */
export function marksOf(fleet: Fleet, roll: ReadonlyMap<number, Unit>): UnitMark[] {
  const marks: UnitMark[] = []
  for (const unit of fleet.units.values()) {
    if (unit === null) continue
    marks.push({
      id: unit.id,
      at: unit.at,
      headingDeg: (unit.speedMps ?? 0) >= HEADING_FROM_MPS ? unit.headingDeg : null,
      shape: SHAPE_OF[roll.get(unit.id)?.kind ?? 'grid-patrol'],
      fresh: unit.presence === 'online',
      sos: unit.sos,
    })
  }
  return marks
}

/** The grids that are owed a visit. */
export function owedOf(covers: ReadonlyMap<number, Cover>): number[] {
  return [...covers.values()].filter((cover) => cover.debtMin > 0).map((cover) => cover.grid).sort((a, b) => a - b)
}
