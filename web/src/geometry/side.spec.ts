import { describe, expect, it } from 'vitest'
import { crossSign, leftOf, upward } from './side'
import type { Coord } from './coord'

const at = (x: number, y: number): Coord => ({ x, y })

function exactSign(a: Coord, b: Coord, p: Coord): number {
  const d = (BigInt(b.x) - BigInt(a.x)) * (BigInt(p.y) - BigInt(a.y)) - (BigInt(b.y) - BigInt(a.y)) * (BigInt(p.x) - BigInt(a.x))
  return d > 0n ? 1 : d < 0n ? -1 : 0
}

describe('crossSign', () => {
  it.each([
    ['left', at(0, 0), at(0, 10), at(-1, 5), 1],
    ['right', at(0, 0), at(0, 10), at(1, 5), -1],
    ['in line', at(0, 0), at(10, 10), at(5, 5), 0],
    ['in line beyond the end', at(0, 0), at(10, 10), at(15, 15), 0],
    ['one unit off the longest diagonal', at(-1800000000, -900000000), at(1800000000, 900000000), at(1, 1), 1],
    ['on the longest diagonal', at(-1800000000, -900000000), at(1800000000, 900000000), at(2, 1), 0],
  ])('%s', (_name, a, b, p, want) => {
    expect(crossSign(a, b, p)).toBe(want)
  })

  it('agrees with whole-number arithmetic where doubles round', () => {
    let seed = 7
    const next = (): number => (seed = (seed * 48271) % 2147483647)
    let rounded = 0
    for (let i = 0; i < 20_000; i++) {
      const a = at(next() - 1073741823, (next() % 1800000000) - 900000000)
      const b = at(next() - 1073741823, (next() % 1800000000) - 900000000)
      const t = (next() % 1000) / 1000
      // Within a unit or two of the line, where the doubles decide wrongly.
      const p = at(Math.round(a.x + (b.x - a.x) * t) + (i % 3) - 1, Math.round(a.y + (b.y - a.y) * t))
      const want = exactSign(a, b, p)
      expect(crossSign(a, b, p)).toBe(want)
      const plain = (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)
      if (BigInt(plain) !== BigInt(b.x - a.x) * BigInt(p.y - a.y) - BigInt(b.y - a.y) * BigInt(p.x - a.x)) rounded++
    }
    expect(rounded).toBeGreaterThan(1000)
  })
})

describe('the half-open rule', () => {
  it.each([
    ['on a north-running edge: not left, so east of it', at(0, 0), at(0, 10), at(0, 5), false],
    ['just west of it', at(0, 0), at(0, 10), at(-1, 5), true],
    ['on its lower end', at(0, 0), at(0, 10), at(0, 0), false],
    ['on a west-running horizontal edge: not left, so north of it', at(10, 0), at(0, 0), at(5, 0), false],
    ['just south of it', at(10, 0), at(0, 0), at(5, -1), true],
  ])('%s', (_name, a, b, p, want) => {
    expect(upward(a, b)).toBe(true)
    expect(leftOf(a, b, p)).toBe(want)
  })

  it('takes every edge in exactly one direction', () => {
    expect(upward(at(0, 0), at(0, 1))).toBe(true)
    expect(upward(at(0, 1), at(0, 0))).toBe(false)
    expect(upward(at(1, 0), at(0, 0))).toBe(true)
    expect(upward(at(0, 0), at(1, 0))).toBe(false)
  })
})
