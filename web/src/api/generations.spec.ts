import { describe, expect, it } from 'vitest'
import { Json } from './decode'
import { ApiFault } from './fault'
import { defectsOf, formatOf, readDiff, readGenerations } from './generations'

const record = { number: 2, hash: 'ab', grids: 417, name: 'n', note: '', author: 'li', imported: '2026-11-01T00:00:00Z', status: 'in-force' }

describe('readGenerations', () => {
  it('reads generations, their check and an open term', () => {
    const got = readGenerations(new Json({
      generations: [{ ...record, check: { base: 1, at: '2026-11-01T00:00:00Z', by: 'li', sound: false, findings: [{ refuses: true, grid: 'A', detail: 'd' }] } }],
      schedule: [{ generation: 2, from: '0001-01-01T00:00:00Z', by: 'li' }],
      revision: 3,
    }))
    expect(got.generations[0]).toMatchObject({ number: 2, status: 'in-force', again: 0, check: { base: 1, sound: false, findings: [{ refuses: true, grid: 'A' }] } })
    expect(got.schedule).toEqual([{ generation: 2, from: Date.parse('0001-01-01T00:00:00Z'), to: null, by: 'li' }])
  })

  it('names the place of what it does not know', () => {
    expect(() => readGenerations(new Json({ generations: [{ ...record, status: 'lost' }], schedule: null, revision: 1 }))).toThrow('$.generations[0].status: want draft')
  })
})

describe('readDiff', () => {
  const ring = [[121, 31], [121.5, 31], [121.5, 31.25], [121, 31]]

  it('reads changes and the pieces of both sides', () => {
    const got = readDiff(new Json({
      base: 1, next: 2, streets: null, lost_m2: 1.5, gained_m2: 0,
      grids: [{ id: 7, code: 'U07', name: 'x', kind: 'gone', base_area_m2: 100, area_m2: 0, children: [{ id: 8, code: 'U08', area_m2: 60, share: 0.6 }] }],
      features: { features: [{ side: 'base', change: 'gone', properties: { id: 7 }, id: 7, geometry: { type: 'MultiPolygon', coordinates: [[ring]] } }] },
    }))
    expect(got.grids[0]).toMatchObject({ kind: 'gone', baseAreaM2: 100, parts: [{ code: 'U08', share: 0.6 }] })
    expect(got.pieces[0]).toMatchObject({ side: 'base', kind: 'gone', id: 7, bounds: [121, 31, 121.5, 31.25] })
    expect([got.streets, got.lostM2]).toEqual([0, 1.5])
  })
})

it.each([
  ['新版.GeoJSON', 'geojson'],
  ['a.zip', 'shapefile'],
  ['a.gpkg', 'geopackage'],
  ['a.json', ''],
  ['zip', ''],
])('formatOf %s', (name, want) => {
  expect(formatOf(name)).toBe(want)
})

it('finds defects in a refusal, and none in another', () => {
  const refused = (document: unknown): ApiFault => new ApiFault('refused', '', null, null, document)
  expect(defectsOf(refused({ defects: [
    { kind: 'overlap', grids: ['A', 'B'], lon: 121.5, lat: 31.25, area_m2: 40, width_m: 5 },
    { kind: 'unreadable', grids: [], detail: 'feature 3: no ring' },
  ] }))).toEqual([
    { kind: 'overlap', grids: ['A', 'B'], at: [121.5, 31.25], areaM2: 40, widthM: 5, detail: '' },
    { kind: 'unreadable', grids: [], at: null, areaM2: 0, widthM: 0, detail: 'feature 3: no ring' },
  ])
  for (const other of [null, 'text', {}, { defects: 'many' }]) expect(defectsOf(refused(other))).toEqual([])
})
