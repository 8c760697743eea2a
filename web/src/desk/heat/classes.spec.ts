import { describe, expect, it } from 'vitest'
import { classOf, classesOf, short } from './classes'

describe('classes', () => {
  it('has about as many grids in each', () => {
    const values = Array.from({ length: 600 }, (_, i) => (i + 1) ** 2)
    const ends = classesOf(values, 6)
    expect(ends).toHaveLength(6)
    const sizes = ends.map((_, i) => values.filter((v) => classOf(v, ends) === i).length)
    for (const size of sizes) expect(Math.abs(size - 100)).toBeLessThan(6)
  })

  it.each([
    ['nothing', [], []],
    ['nothing but 0', [0, 0], []],
    ['all the same', [7, 7, 7, 7], [7]],
    ['fewer than classes', [1, 2], [1, 2]],
  ])('of %s', (_name, values, want) => {
    expect(classesOf(values, 6)).toEqual(want)
  })

  it('has a class for every value above 0, and none else', () => {
    const ends = classesOf([0.013, 0.4, 12, 990], 4)
    expect([null, 0, 0.013, 0.4, 12, 990, 5000].map((v) => classOf(v, ends))).toEqual([-1, -1, 0, 1, 2, 3, 3])
    expect(classOf(5, [])).toBe(-1)
  })

  it.each([[1234.4, '1,234'], [12.34, '12.3'], [0.0123, '0.012'], [3, '3']])('writes %d', (v, want) => {
    expect(short(v)).toBe(want)
  })
})
