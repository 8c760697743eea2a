import { describe, expect, it } from 'vitest'
import type { Term } from '../api/generations'
import { around, layOut } from './schedule'

const at = (text: string): number => Date.parse(text)
const term = (generation: number, from: string, to: string | null): Term => ({ generation, from: at(from), to: to === null ? null : at(to), by: 'x' })
const schedule = [
  term(1, '0001-01-01T00:00:00Z', '2026-06-01T00:00:00Z'),
  term(2, '2026-06-01T00:00:00Z', '2027-01-01T00:00:00Z'),
  term(3, '2027-01-01T00:00:00Z', null),
]

describe('layOut', () => {
  it('puts terms side by side in their order, and now among them', () => {
    const { pieces, now } = layOut(schedule, at('2026-11-01T00:00:00Z'))
    expect(pieces.map((p) => p.term.generation)).toEqual([1, 2, 3])
    for (const [i, p] of pieces.entries()) {
      expect(p.end).toBeGreaterThan(p.start)
      if (i > 0) expect(p.start).toBeCloseTo(pieces[i - 1]!.end, 9)
    }
    expect([pieces[0]!.start, pieces[2]!.end]).toEqual([0, 1])
    expect([pieces[0]!.openStart, pieces[1]!.openStart, pieces[2]!.openEnd]).toEqual([true, false, true])
    expect(now).toBeGreaterThan(pieces[1]!.start)
    expect(now).toBeLessThan(pieces[1]!.end)
  })

  it('keeps a term of a minute wide enough to press', () => {
    const short = [term(1, '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'), term(2, '2026-01-01T00:01:00Z', null)]
    const [a] = layOut(short, at('2030-01-01T00:00:00Z')).pieces
    expect(a!.end - a!.start).toBeCloseTo(0.03, 9)
  })

  it('gives dates that are near each other lines of their own, and leaves out what has none', () => {
    const near = ['2026-01-01', '2026-12-01', '2026-12-08', '2026-12-15', '2027-06-01', '2027-12-01'].map((d, i, all) =>
      term(i + 1, `${d}T00:00:00Z`, all[i + 1] ? `${all[i + 1]}T00:00:00Z` : null))
    expect(layOut(near, at('2026-11-01T00:00:00Z')).pieces.map((p) => p.dateRow)).toEqual([0, 0, 1, null, 0, 0])
    expect(layOut(schedule, at('2026-11-01T00:00:00Z')).pieces[0]!.dateRow).toBeNull()
  })

  it('lays out nothing, and one term without dates', () => {
    expect(layOut([], 0).pieces).toEqual([])
    const [only] = layOut([term(1, '0001-01-01T00:00:00Z', null)], at('2026-11-01T00:00:00Z')).pieces
    expect([only!.start, only!.end]).toEqual([0, 1])
  })
})

describe('around', () => {
  it.each([
    ['within a term', '2026-07-01T00:00:00Z', 2, 3],
    ['at the very start of one, which is its own', '2027-01-01T00:00:00Z', 3, null],
    ['a millisecond earlier', '2026-12-31T23:59:59.999Z', 2, 3],
  ])('%s', (_name, when, before, after) => {
    const got = around(schedule, at(when))
    expect([got.before?.generation ?? null, got.after?.generation ?? null]).toEqual([before, after])
  })

  it('finds nothing before the first', () => {
    expect(around([schedule[2]!], at('2026-07-01T00:00:00Z'))).toEqual({ before: null, after: schedule[2] })
  })
})
