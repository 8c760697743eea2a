import { describe, expect, it } from 'vitest'
import type { Cover, FleetUnit } from '../api/frames'
import { NOBODY } from '../api/frames'
import type { Unit } from '../api/units'
import { marksOf, owedOf } from './marks'

const seen = (id: number, more: Partial<FleetUnit> = {}): FleetUnit => ({
  id, presence: 'online', sos: false, suspectDatum: false, mocked: false, at: [121.2, 31.3], fixed: 0, accuracyM: null, speedMps: 2,
  headingDeg: 90, batteryPct: null, grid: 1, raw: 1, since: null, ...more,
})
const car: Unit = { id: 2, code: 'C2', name: '', kind: 'vehicle', team: '', street: '', grids: [], duty: 'always', retired: null }

describe('marksOf', () => {
  it('draws who has a position, by kind and state', () => {
    const fleet = { ...NOBODY, units: new Map([[1, seen(1, { presence: 'silent' as const, speedMps: 0.2 })], [2, seen(2, { sos: true })], [3, null]]) }
    expect(marksOf(fleet, new Map([[2, car]]))).toEqual([
      { id: 1, at: [121.2, 31.3], headingDeg: null, shape: 'circle', fresh: false, sos: false },
      { id: 2, at: [121.2, 31.3], headingDeg: 90, shape: 'square', fresh: true, sos: true },
    ])
  })
})

describe('owedOf', () => {
  it('has the grids with debt, in order', () => {
    const cover = (grid: number, debtMin: number): [number, Cover] => [grid, { grid, present: 0, assigned: 0, swept: 0, unvisitedMin: null, debtMin }]
    expect(owedOf(new Map([cover(9, 3), cover(2, 0), cover(4, 1)]))).toEqual([4, 9])
  })
})
