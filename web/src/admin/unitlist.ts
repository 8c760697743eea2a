import type { Unit, UnitKind } from '../api/units'
import type { Presence } from '../ui/presence'

/** What of the units to show; an empty text or null is no bound. */
export interface UnitFilter {
  readonly text: string
  readonly street: string
  /** Null for any, empty for those of no team. */
  readonly team: string | null
  readonly kind: UnitKind | null
  readonly presence: Presence | null
  readonly retired: boolean
}

export const EVERYONE: UnitFilter = { text: '', street: '', team: null, kind: null, presence: null, retired: false }

/** The units that `filter` lets through, by code. Words apart by spaces must all be in code, name or a grid. */
export function filterUnits(units: readonly Unit[], filter: UnitFilter, presenceOf: (unit: Unit) => Presence): Unit[] {
  const words = fold(filter.text).split(/\s+/).filter(Boolean)
  return units
    .filter((unit) => {
      if (unit.retired !== null && !filter.retired) return false
      if (filter.street && unit.street !== filter.street) return false
      if (filter.team !== null && unit.team !== filter.team) return false
      if (filter.kind && unit.kind !== filter.kind) return false
      if (filter.presence && (unit.retired !== null || presenceOf(unit) !== filter.presence)) return false
      const text = words.length ? fold([unit.code, unit.name, ...unit.grids].join('\n')) : ''
      return words.every((word) => text.includes(word))
    })
    .sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0))
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}
