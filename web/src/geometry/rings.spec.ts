import { describe, expect, it } from 'vitest'
import type { Coord } from './coord'
import { pointInRings } from './rings'

const ring = (...xy: [number, number][]): Coord[] => xy.map(([x, y]) => ({ x, y }))
const at = (x: number, y: number): Coord => ({ x, y })

describe('pointInRings', () => {
  const square = [ring([0, 0], [10, 0], [10, 10], [0, 10])]
  it.each([
    ['the middle', at(5, 5), true],
    ['its west border is its own', at(0, 5), true],
    ['its east border is the neighbour’s', at(10, 5), false],
    ['its south border is its own', at(5, 0), true],
    ['its north border is the neighbour’s', at(5, 10), false],
    ['its south-west corner', at(0, 0), true],
    ['its other corners', at(10, 0), false],
    ['beyond', at(11, 5), false],
  ])('%s', (_name, p, want) => {
    expect(pointInRings(p, square)).toBe(want)
    expect(pointInRings(p, [[...square[0]!].reverse()])).toBe(want)
  })

  it('leaves holes out, by the same rule', () => {
    const holed = [...square, ring([3, 3], [7, 3], [7, 7], [3, 7])]
    expect(pointInRings(at(5, 5), holed)).toBe(false)
    expect(pointInRings(at(3, 5), holed)).toBe(false)
    expect(pointInRings(at(7, 5), holed)).toBe(true)
  })

  it('gives every point of a fan to exactly one of its triangles', () => {
    const rim = ring([0, 0], [9, -4], [20, 0], [23, 11], [17, 20], [3, 19], [-5, 8])
    const hub = at(8, 7)
    const fan = rim.map((c, i) => [[hub, c, rim[(i + 1) % rim.length]!]])
    for (let x = -6; x <= 24; x++) {
      for (let y = -6; y <= 21; y++) {
        const owners = fan.filter((rings) => pointInRings(at(x, y), rings)).length
        expect(owners).toBe(pointInRings(at(x, y), [rim]) ? 1 : 0)
      }
    }
  })
})
