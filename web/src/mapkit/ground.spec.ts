import { describe, expect, it, vi } from 'vitest'
import { quantise } from '../geometry/coord'
import type { GroundLayer } from './ground'
import { GroundPlane, groundLayers, groundSource } from './ground'

vi.mock('maplibre-gl', () => ({ addProtocol: () => undefined }))
vi.stubGlobal('location', { origin: 'https://here' })

const LAYER: GroundLayer = { tiles: '/tiles/base/0/{z}/{x}/{y}', archive: '', tileSize: 256, minZoom: 0, maxZoom: 18, opacity: 1, dark: 'invert' }

describe('a map in GCJ-02', () => {
  const plane = new GroundPlane('gcj02')
  it('moves every point by its own offset and back', () => {
    const [west, east] = [plane.to([121.1, 31.3]), plane.to([121.4, 31.3])]
    expect(west[0] - 121.1).toBeGreaterThan(0.004)
    expect(Math.abs(west[0] - 121.1 - (east[0] - 121.4))).toBeGreaterThan(1e-5)
    for (const p of [[121.1, 31.3], [121.4, 31.5]] as const) {
      const back = plane.from(plane.to(p))
      expect(Math.hypot(back[0] - p[0], back[1] - p[1])).toBeLessThan(1e-7)
    }
  })
  it('moves rings as it moves points', () => {
    const c = quantise([121.2, 31.4])
    expect(plane.rings([[c]])).toEqual([[quantise(plane.to([121.2, 31.4]))]])
  })
})

it('a map in WGS-84 leaves everything as it is', () => {
  const rings = [[quantise([121.2, 31.4])]]
  expect(new GroundPlane('wgs84').rings(rings)).toBe(rings)
})

describe('layers', () => {
  it('ask this service alone', () => {
    expect(groundSource(LAYER)).toMatchObject({ tiles: ['https://here/tiles/base/0/{z}/{x}/{y}'] })
    expect(groundSource({ ...LAYER, archive: '/tiles/base/0/archive' })).toMatchObject({ url: 'pmtiles://https://here/tiles/base/0/archive' })
  })
  it('are turned dark on a dark page only', () => {
    const [dark, light] = (['dark', 'light'] as const).map((theme) => groundLayers({ datum: 'wgs84', attribution: '', layers: [LAYER] }, theme)[0]?.paint)
    expect(dark).toMatchObject({ 'raster-brightness-min': 0.95 })
    expect(light).toMatchObject({ 'raster-brightness-min': 0 })
  })
})
