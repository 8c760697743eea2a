import { describe, expect, it } from 'vitest'
import type { LonLat } from './coord'
import { DATUMS, fromWgs84, toWgs84 } from './datum'
import { distanceM } from './measure'

describe('datums', () => {
  it('go to WGS-84 and back within 1 cm all over China', () => {
    for (const datum of DATUMS) {
      for (let lon = 74; lon <= 134; lon += 1.7) {
        for (let lat = 4; lat <= 53; lat += 1.3) {
          const p: LonLat = [lon, lat]
          expect(distanceM(toWgs84(fromWgs84(p, datum), datum), p)).toBeLessThan(0.01)
        }
      }
    }
  })

  it('shift Jiading by the known amounts', () => {
    const p: LonLat = [121.247, 31.383]
    expect(distanceM(fromWgs84(p, 'gcj02'), p)).toBeGreaterThan(400)
    expect(distanceM(fromWgs84(p, 'gcj02'), p)).toBeLessThan(600)
    expect(distanceM(fromWgs84(p, 'bd09'), p)).toBeGreaterThan(800)
  })

  it('leave points outside China as they are', () => {
    expect(toWgs84([-76.6, 39.3], 'gcj02')).toEqual([-76.6, 39.3])
  })
})
