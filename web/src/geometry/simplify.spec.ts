import { describe, expect, it } from 'vitest'
import type { Coord } from './coord'
import { simplifyRing } from './simplify'

describe('simplifyRing', () => {
  it('drops vertices in line and keeps corners', () => {
    const ring: Coord[] = []
    for (let i = 0; i < 100; i++) ring.push({ x: i, y: 0 })
    ring.push({ x: 100, y: 0 }, { x: 100, y: 100 }, { x: 0, y: 100 })
    expect(simplifyRing(ring, 1)).toEqual([{ x: 0, y: 0 }, { x: 100, y: 0 }, { x: 100, y: 100 }, { x: 0, y: 100 }])
  })

  it('keeps a bay deeper than the tolerance and smooths a shallower one', () => {
    const bay = (depth: number): Coord[] => [
      { x: 0, y: 0 }, { x: 50, y: depth }, { x: 100, y: 0 }, { x: 100, y: 100 }, { x: 0, y: 100 },
    ]
    expect(simplifyRing(bay(9), 10)).toHaveLength(4)
    expect(simplifyRing(bay(11), 10)).toHaveLength(5)
  })
})
