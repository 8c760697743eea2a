import { describe, expect, it } from 'vitest'
import { quantise } from './coord'
import { distanceM, nearestOnRings, scaleAt } from './measure'

describe('distanceM', () => {
  // Geodesics of GeographicLib on WGS-84.
  it.each([
    ['a degree of latitude at the equator', [0, -0.5], [0, 0.5], 110574.4],
    ['a degree of longitude at the equator', [-0.5, 0], [0.5, 0], 111319.5],
    ['no distance', [121.247, 31.383], [121.247, 31.383], 0],
  ] as const)('%s', (_name, a, b, want) => {
    const got = distanceM(a, b)
    expect(Math.abs(got - want)).toBeLessThanOrEqual(want * 0.001)
  })
})

describe('nearestOnRings', () => {
  const square = [[121.2, 31.3], [121.3, 31.3], [121.3, 31.4], [121.2, 31.4]].map(([x, y]) => quantise([x!, y!]))

  it('drops a perpendicular on the nearest edge', () => {
    const foot = nearestOnRings([121.21, 31.35], [square])!
    expect(foot.at[0]).toBeCloseTo(121.2, 7)
    expect(foot.at[1]).toBeCloseTo(31.35, 7)
    expect(foot.distanceM).toBeCloseTo(0.01 * scaleAt(31.35).xM, 0)
  })

  it('takes the corner when no perpendicular falls on an edge', () => {
    const foot = nearestOnRings([121.19, 31.29], [square])!
    expect(foot.at).toEqual([121.2, 31.3])
  })

  it('counts the closing edge', () => {
    const foot = nearestOnRings([121.201, 31.35], [square])!
    expect(foot.at[0]).toBe(121.2)
  })

  it('finds nothing on nothing', () => {
    expect(nearestOnRings([121, 31], [])).toBeNull()
  })
})
