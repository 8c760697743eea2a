import { describe, expect, it } from 'vitest'
import type { CaseIndex } from '../api/caseindex'
import { EMERGENCY } from '../api/caseindex'
import { byStreet, countCases, openCases, urgentOnes } from './cases'

const NOW = Date.parse('2026-03-03T12:00:00+08:00')
const s = (ms: number): number => ms / 1000
const HOUR = 3_600_000

const INDEX: CaseIndex = {
  asOf: NOW, states: ['dispatched'], overlays: ['verified', 'supervised'], items: ['0101'], streets: ['S1', 'S2'], departments: [],
  rows: [
    [1, 1, 12112345, 3125000, s(NOW - 1000), 0, 0, 0, 0, -1, s(NOW - 5 * HOUR), 0],
    [2, 1, 12112345, 3125000, s(NOW), 0, 2, 0, 0, -1, s(NOW - 4 * HOUR), 0],
    [3, 1, 12112345, 3125000, s(NOW + 2 * HOUR), 0, 1, -1, 1, -1, s(NOW - 3 * HOUR), EMERGENCY],
    [4, 1, null, null, null, 0, 0, 0, -1, -1, s(NOW - 2 * HOUR), 0],
  ],
}

describe('open cases', () => {
  const cases = openCases(INDEX)
  it('are late from their limit on, and near it for two hours before', () => {
    expect(cases.map((c) => c.mark)).toEqual(['late', 'near', 'calm', 'calm'])
    expect(countCases(cases)).toEqual({ open: 4, near: 1, late: 1 })
  })
  it('are urgent when they are supervised or of an emergency', () => {
    expect(cases.map((c) => c.urgent)).toEqual([false, true, true, false])
    expect(urgentOnes(cases, 5).map((c) => c.id)).toEqual([3, 2])
    expect(urgentOnes(cases, 1).map((c) => c.id)).toEqual([3])
  })
  it('lie where they are, if that is known', () => {
    expect(cases[0]!.at).toEqual([121.12345, 31.25])
    expect(cases[3]!.at).toBeNull()
    expect(cases[2]!.item).toBe('')
  })
  it('are counted by street', () => {
    expect(byStreet(cases, ['S1', 'S2', 'S3'])).toEqual([{ street: 'S1', open: 2, late: 1 }, { street: 'S2', open: 1, late: 0 }, { street: 'S3', open: 0, late: 0 }])
  })
})
