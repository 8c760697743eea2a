import { describe, expect, it } from 'vitest'
import { fromPlane, toPlane } from './mercator'

describe('the Mercator plane', () => {
  it('has the world as its unit square', () => {
    expect(toPlane([0, 0])).toEqual({ x: 0.5, y: 0.5 })
    expect(toPlane([180, 0]).x).toBe(1)
    expect(toPlane([0, 85.0511287798]).y).toBeCloseTo(0, 9)
  })

  it('leads back', () => {
    const [lon, lat] = fromPlane(toPlane([121.2470001, 31.3830001]))
    expect(lon).toBeCloseTo(121.2470001, 9)
    expect(lat).toBeCloseTo(31.3830001, 9)
  })
})
