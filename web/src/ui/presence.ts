/** Who is there: the fleet of the live picture beside the roll of everybody. */
import type { Fleet, FleetUnit } from '../api/frames'
import type { Unit } from '../api/units'

export const PRESENCES = ['online', 'silent', 'unheard', 'off-duty'] as const
export type Presence = (typeof PRESENCES)[number]

/** Whoever is on duty is in the fleet. */
export function presenceOf(fleet: Fleet, id: number): Presence {
  const unit = fleet.units.get(id)
  if (unit === undefined) return 'off-duty'
  return unit === null ? 'unheard' : unit.presence
}

/** How many units that serve are how present. */
export function countPresences(fleet: Fleet, units: readonly Unit[]): Record<Presence, number> {
  const counts: Record<Presence, number> = { online: 0, silent: 0, unheard: 0, 'off-duty': 0 }
  for (const unit of units) if (unit.retired === null) counts[presenceOf(fleet, unit.id)]++
  return counts
}

/** Those who call for help. */
export function callsOf(fleet: Fleet): FleetUnit[] {
  return [...fleet.units.values()].filter((unit): unit is FleetUnit => unit?.sos === true)
}
