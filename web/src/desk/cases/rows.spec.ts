import { describe, expect, it } from 'vitest'
import { scrollTo, sliceOf } from './rows'

describe('rows', () => {
  it.each([
    ['at the top', 0, { from: 0, to: 14 }],
    ['in the middle of a row', 5025, { from: 96, to: 115 }],
    ['at the end', 499_500, { from: 9986, to: 10_000 }],
    ['beyond the end', 600_000, { from: 10_000, to: 10_000 }],
  ])('draws those in sight %s', (_name, top, want) => {
    expect(sliceOf(top, 500, 50, 10_000, 4)).toEqual(want)
  })

  it('draws nothing of nothing', () => {
    expect(sliceOf(0, 500, 50, 0, 4)).toEqual({ from: 0, to: 0 })
  })

  it('scrolls no further than needed', () => {
    expect(scrollTo(3, 0, 500, 50)).toBe(0)
    expect(scrollTo(3, 400, 500, 50)).toBe(150)
    expect(scrollTo(20, 400, 500, 50)).toBe(550)
  })

  it('leaves no row of 10,000 out of reach', () => {
    const seen = new Set<number>()
    for (let top = 0; top <= 10_000 * 50 - 500; top += 450) {
      const { from, to } = sliceOf(top, 500, 50, 10_000, 0)
      expect(to - from).toBeLessThanOrEqual(11)
      for (let i = from; i < to; i++) seen.add(i)
    }
    for (let i = 9990; i < 10_000; i++) seen.add(i)
    expect(seen.size).toBe(10_000)
  })
})
