import { describe, expect, it } from 'vitest'
import { bytesOf, spread } from './density'

function single(width: number, height: number, x: number, y: number): Float32Array {
  const cells = new Float32Array(width * height)
  cells[y * width + x] = 1
  return cells
}

describe('spread', () => {
  it('keeps what does not reach the edge, and spreads it alike on all sides', () => {
    const [w, h, r] = [41, 31, 3]
    const out = spread(single(w, h, 20, 15), w, h, r)
    const sum = out.reduce((a, b) => a + b, 0)
    expect(sum).toBeCloseTo(1, 4)
    for (const d of [1, 4, 8]) {
      const around = [out[15 * w + 20 + d]!, out[15 * w + 20 - d]!, out[(15 + d) * w + 20]!, out[(15 - d) * w + 20]!]
      for (const v of around) expect(v).toBeCloseTo(around[0]!, 6)
    }
    expect(Math.max(...out)).toBe(out[15 * w + 20])
  })
  it('adds up: two places give the sum of both', () => {
    const [w, h] = [30, 20]
    const [a, b] = [single(w, h, 5, 5), single(w, h, 17, 9)]
    const both = spread(a.map((v, i) => v + b[i]!), w, h, 4)
    const [sa, sb] = [spread(a, w, h, 4), spread(b, w, h, 4)]
    both.forEach((v, i) => expect(v).toBeCloseTo(sa[i]! + sb[i]!, 5))
  })
  it('is not wider than a raster smaller than its radius', () => {
    expect(spread([1], 1, 1, 5)[0]).toBeGreaterThan(0)
    expect([...spread([3, 4], 2, 1, 0)]).toEqual([3, 4])
  })
})

describe('bytesOf', () => {
  it('measures all surfaces alike', () => {
    const [a, b] = bytesOf([Float32Array.from([0, 1, 4]), Float32Array.from([0, 2, 4])])
    expect([a![0], b![0]]).toEqual([0, 0])
    expect(a![2]).toBe(b![2])
    expect(a![2]).toBe(255)
    expect(b![1]).toBeGreaterThan(a![1]!)
  })
  it('has nothing to show of nothing', () => {
    expect([...bytesOf([new Float32Array(3)])[0]!]).toEqual([0, 0, 0])
  })
})
