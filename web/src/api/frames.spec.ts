import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Json } from './decode'
import { ApiFault } from './fault'
import type { Frame } from './frames'
import { NOBODY, follow, readFrame, readLayout } from './frames'

const COLUMNS = {
  units: ['unit', 'presence', 'flags', 'x', 'y', 'age', 'accuracy', 'speed', 'heading', 'battery', 'grid', 'raw', 'dwell'],
  grids: ['grid', 'present', 'assigned', 'swept', 'unvisited', 'debt'],
}
const head = { at: 1_772_352_000_000, roll: 17, generation: 2, origin: [12112000, 3124000], columns: COLUMNS }
const layout = readLayout(new Json(head))
const frame = (kind: Frame['kind'], rest: object): Frame => readFrame(kind, new Json({ ...head, ...rest }), layout)

describe('readFrame', () => {
  it('reads units by their columns', () => {
    const [one, two] = frame('snap', { units: [7, 2, 0, 8000, 7000, 1500, 12, 14, 270, 88, 21, 22, 60_000, 9, 3, 5, -1, 0, -200, 0, -1, -1, -1, 0, 0, 0] }).units
    expect(one).toEqual({
      id: 7, presence: 'online', sos: false, suspectDatum: false, mocked: false, at: [121.2, 31.31], fixed: 1_772_351_998_500, accuracyM: 12,
      speedMps: 1.4, headingDeg: 270, batteryPct: 88, grid: 21, raw: 22, since: 1_772_351_940_000,
    })
    expect(two).toMatchObject({
      presence: 'silent', sos: true, mocked: true, suspectDatum: false, at: [121.11999, 31.24], fixed: 1_772_352_000_200,
      accuracyM: null, speedMps: null, headingDeg: null, batteryPct: null, since: null,
    })
  })

  it('reads rows in whatever order of columns, with columns that it does not know', () => {
    const other = readLayout(new Json({ ...head, columns: { ...COLUMNS, grids: ['debt', 'mood', 'unvisited', 'grid', 'swept', 'assigned', 'present'] } }))
    expect(readFrame('tick', new Json({ at: 1, grids: [5, 99, -1, 21, 40, 3, 2] }), other).covers).toEqual([
      { grid: 21, present: 2, assigned: 3, swept: 0.4, unvisitedMin: null, debtMin: 5 },
    ])
  })

  it.each([
    ['half a row', { units: [7, 2, 0] }, '$.units: want rows of 13'],
    ['a fraction', { unheard: [1, 2.5] }, '$.unheard[1]: want a whole number, got 2.5'],
    ['no list', { gone: 3 }, '$.gone: want a list, got 3'],
  ])('refuses %s', (_name, rest, says) => {
    expect(() => frame('tick', rest)).toThrow(ApiFault)
    expect(() => frame('tick', rest)).toThrow(says)
  })

  it('refuses a stream without a column that it needs', () => {
    expect(() => readLayout(new Json({ ...head, columns: { ...COLUMNS, grids: ['grid'] } }))).toThrow('want a column present')
  })
})

describe('follow', () => {
  const row = (unit: number): number[] => [unit, 2, 0, 1, 1, 0, 0, -1, -1, -1, 0, 0, 0]
  const snap = frame('snap', { units: [...row(1), ...row(2)], unheard: [3], grids: [21, 1, 1, 0, 0, 0] })

  it('takes each unit out of the others', () => {
    let fleet = follow(NOBODY, snap)
    expect([...fleet.units.keys()].sort()).toEqual([1, 2, 3])
    fleet = follow(fleet, frame('tick', { units: row(3), unheard: [1], gone: [2] }))
    expect([...fleet.units].map(([id, unit]) => [id, unit !== null]).sort()).toEqual([[1, false], [3, true]])
    expect(fleet.covers.get(21)?.present).toBe(1)
  })

  it('forgets everything with a snapshot', () => {
    const fleet = follow(follow(NOBODY, snap), frame('snap', { units: row(9) }))
    expect([...fleet.units.keys()]).toEqual([9])
    expect(fleet.covers.size).toBe(0)
  })

  it('leaves the fleet before as it was', () => {
    const before = follow(NOBODY, snap)
    follow(before, frame('tick', { gone: [1], grids: [21, 9, 1, 0, 0, 0] }))
    expect(before.units.has(1)).toBe(true)
    expect(before.covers.get(21)?.present).toBe(1)
  })
})

interface Step {
  readonly event: Frame['kind']
  readonly data: unknown
  readonly units: readonly { unit: number; presence: string; lon: number; lat: number; at: number; sos: boolean; datum: boolean; mocked: boolean; grid: number; since: number }[]
  readonly unheard: readonly number[]
}

describe('the server’s own frames', () => {
  const steps = JSON.parse(readFileSync(new URL('../../../internal/live/testdata/frames.json', import.meta.url), 'utf8')) as Step[]

  it('tell what the server knows', () => {
    expect(steps.map((step) => step.event)).toEqual(['snap', 'tick'])
    const told = readLayout(new Json(steps[0]!.data))
    let fleet = NOBODY
    for (const step of steps) {
      fleet = follow(fleet, readFrame(step.event, new Json(step.data), told))
      const placed = [...fleet.units.values()].filter((unit) => unit !== null)
      expect([...fleet.units].filter(([, unit]) => unit === null).map(([id]) => id)).toEqual(step.unheard)
      expect(placed.map((u) => u.id).sort()).toEqual(step.units.map((u) => u.unit).sort())
      for (const want of step.units) {
        const got = placed.find((u) => u.id === want.unit)!
        expect(got).toMatchObject({ presence: want.presence, fixed: want.at, sos: want.sos, suspectDatum: want.datum, mocked: want.mocked, grid: want.grid })
        expect(got.since).toBe(want.since || null)
        // A frame's unit is 1e-5 degree.
        expect(Math.abs(got.at[0] - want.lon)).toBeLessThanOrEqual(0.51e-5)
        expect(Math.abs(got.at[1] - want.lat)).toBeLessThanOrEqual(0.51e-5)
      }
    }
    expect(fleet.covers.get(8)).toMatchObject({ present: 1, swept: 0.25, unvisitedMin: null })
    expect(fleet.covers.get(7)).toMatchObject({ present: 0, assigned: 2, unvisitedMin: 180, debtMin: 60 })
  })
})
