import { describe, expect, it } from 'vitest'
import { DAY_MS, gapBars, mondayOf, weekRows } from './week'

const at = (text: string): number => Date.parse(`${text}+08:00`)
const monday = at('2026-03-02T00:00')

describe('mondayOf', () => {
  it.each([
    ['itself', '2026-03-02T00:00', '2026-03-02T00:00'],
    ['a Sunday night', '2026-03-08T23:59', '2026-03-02T00:00'],
    ['a Monday that is still Sunday elsewhere', '2026-03-09T01:00', '2026-03-09T00:00'],
    ['before 1970', '1969-12-31T12:00', '1969-12-29T00:00'],
  ])('%s', (_name, ms, want) => expect(mondayOf(at(ms))).toBe(at(want)))
})

describe('weekRows', () => {
  it('has a row for each unit, its shifts in order, cut at the ends of the week', () => {
    const rows = weekRows([
      { unit: 'B', post: 'patrol', from: monday + 1.5 * DAY_MS, to: monday + 2 * DAY_MS },
      { unit: 'A', post: 'patrol', from: monday + DAY_MS, to: monday + 2 * DAY_MS },
      { unit: 'A', post: 'emergency', from: monday - DAY_MS / 2, to: monday + DAY_MS / 2 },
      { unit: 'C', post: 'patrol', from: monday - DAY_MS, to: monday },
    ], monday)
    expect(rows.map((r) => [r.unit, r.hours])).toEqual([['A', 36], ['B', 12]])
    expect(rows[0]!.bars.map((b) => [b.post, b.left * 14, b.width * 14])).toEqual([['emergency', 0, 1], ['patrol', 2, 2]])
  })
})

describe('gapBars', () => {
  it('places gaps in the week', () => {
    expect(gapBars([{ street: 'S', from: monday, to: monday + 7 * DAY_MS }], monday)).toMatchObject([{ left: 0, width: 1 }])
  })
})
