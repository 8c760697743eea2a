import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Json } from './decode'
import { readGrids } from './grids'
import { readResolution } from './resolve'
import { readStreets } from './streets'
import { readTrack, readUnitPage } from './unit'
import { readCellFaults, readUnit } from './units'

/** The answers that the server's own tests hold it to: what the pages read is what it writes. */
const folder = fileURLToPath(new URL('../../../internal/httpapi/testdata/', import.meta.url))
const golden = (name: string): Record<string, unknown> => JSON.parse(readFileSync(folder + name, 'utf8')) as Record<string, unknown>
const resolutions = readdirSync(folder).filter((name) => /^resolve-.*\.json$/.test(name))

describe('golden answers of the server', () => {
  it('are there', () => expect(resolutions.length).toBeGreaterThan(5))

  it.each(resolutions)('%s is a resolution', (name) => {
    const raw = golden(name)
    const got = readResolution(new Json(raw))
    const grid = raw.grid as { id: number; code: string } | null
    expect(got.at).toEqual([raw.lon, raw.lat])
    expect(got.grid?.code ?? null).toBe(grid?.code ?? null)
    expect(got.grid?.id ?? null).toBe(grid?.id ?? null)
    expect(got.borderM).toBe(raw.border_distance_m)
    expect(got.generation).toEqual(raw.generation)
    expect(got.nearest === null).toBe(!('nearest' in raw))
  })

  it('streets.json is streets', () => {
    const raw = golden('streets.json')
    expect(readStreets(new Json(raw)).map((s) => s.code)).toEqual((raw.streets as { code: string }[]).map((s) => s.code))
  })

  it('grids.topojson is grids with their borders', () => {
    const raw = golden('grids.topojson') as { objects: { grids: { geometries: { properties: { code: string } }[] } } }
    const got = readGrids(new Json(raw))
    expect(got.grids.map((g) => g.code).sort()).toEqual(raw.objects.grids.geometries.map((g) => g.properties.code).sort())
  })

  it('units.json and unit.json are units', () => {
    const raw = golden('units.json') as { units: { code: string }[] }
    const got = new Json(raw).at('units').items().map(readUnit)
    expect(got.map((u) => u.code)).toEqual(raw.units.map((u) => u.code))
    expect(got[1]).toMatchObject({ kind: 'vehicle', duty: 'always', team: '', grids: [], retired: null })
    expect(readUnitPage(new Json(golden('unit.json'))).unit.code).toBe('A1')
  })

  it('sheet-faults.json tells of cells', () => {
    const got = readCellFaults(new Json(golden('sheet-faults.json')))
    expect(got?.count).toBe(2)
    expect(got?.faults[1]).toMatchObject({ line: 3, column: 'team', value: 'T9' })
  })

  it('track.geojson is a track with a stop between two trips', () => {
    const raw = golden('track.geojson') as { fixes: number }
    const got = readTrack(new Json(raw))
    expect(got.line.length).toBe(raw.fixes)
    expect(got.times.length).toBe(raw.fixes)
    expect([got.trips.length, got.stops.length]).toEqual([2, 1])
    expect(got.trips[0]!.to).toBe(got.stops[0]!.from)
    expect(got.speedsMps[3]).toBeNull()
    expect(got.accuraciesM[3]).toBeNull()
  })
})
