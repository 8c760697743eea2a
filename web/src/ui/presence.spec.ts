import { describe, expect, it } from 'vitest'
import type { FleetUnit } from '../api/frames'
import { NOBODY } from '../api/frames'
import type { Unit } from '../api/units'
import { callsOf, countPresences, presenceOf } from './presence'

const seen = (id: number, more: Partial<FleetUnit> = {}): FleetUnit => ({
  id, presence: 'online', sos: false, suspectDatum: false, mocked: false, at: [121.2, 31.3], fixed: 0, accuracyM: null, speedMps: null,
  headingDeg: null, batteryPct: null, grid: 1, raw: 1, since: null, ...more,
})
const unit = (id: number, retired: number | null = null): Unit => ({
  id, code: `U${id}`, name: '', kind: 'grid-patrol', team: '', street: '310114004', grids: [], duty: 'roster', retired,
})
const fleet = { ...NOBODY, units: new Map([[1, seen(1)], [2, seen(2, { presence: 'silent' as const, sos: true })], [3, null]]) }

describe('presence', () => {
  it('is of the fleet, or off duty', () => {
    expect([1, 2, 3, 4].map((id) => presenceOf(fleet, id))).toEqual(['online', 'silent', 'unheard', 'off-duty'])
  })

  it('is counted of all who serve', () => {
    expect(countPresences(fleet, [unit(1), unit(2), unit(3), unit(4), unit(5, 1000)])).toEqual({ online: 1, silent: 1, unheard: 1, 'off-duty': 1 })
  })

  it('finds the calls for help', () => expect(callsOf(fleet).map((u) => u.id)).toEqual([2]))
})
