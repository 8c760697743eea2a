import { describe, expect, it } from 'vitest'
import { Json } from './decode'
import { readGrids } from './grids'
import { readResolution } from './resolve'
import { readStreets } from './streets'

const json = (value: unknown): Json => new Json(value)

describe('readResolution', () => {
  const inside = {
    lon: 121.247, lat: 31.383,
    grid: { id: 12, code: '310114004U03', name: '嘉定镇街道城区03网格', kind: 'urban' },
    street: { code: '310114004', name: '嘉定镇街道' },
    department: { code: '310114004-S01', name: '嘉定镇街道联勤网格化中心' },
    border_distance_m: 123.4,
    generation: { number: 1, hash: '9f3a' },
  }

  it('inside the district', () => {
    const got = readResolution(json(inside))
    expect(got.at).toEqual([121.247, 31.383])
    expect(got.grid).toEqual({ id: 12, code: '310114004U03', name: '嘉定镇街道城区03网格', kind: 'urban' })
    expect(got.department?.name).toBe('嘉定镇街道联勤网格化中心')
    expect(got.borderM).toBe(123.4)
    expect(got.nearest).toBeNull()
    expect(got.generation).toEqual({ number: 1, hash: '9f3a' })
  })

  it('outside the district', () => {
    const got = readResolution(json({
      lon: 121.5, lat: 31.2, grid: null, street: null, department: null,
      nearest: { grid: inside.grid, distance_m: 812 }, border_distance_m: 812, generation: inside.generation,
    }))
    expect(got.grid).toBeNull()
    expect(got.nearest).toEqual({ grid: inside.grid, distanceM: 812 })
  })

  it('keeps a kind it does not know as unknown', () => {
    expect(readResolution(json({ ...inside, grid: { ...inside.grid, kind: '' } })).grid?.kind).toBe('unknown')
  })

  it.each([
    ['no distance', { ...inside, border_distance_m: undefined }, '$.border_distance_m'],
    ['a grid without a code', { ...inside, grid: { id: 1 } }, '$.grid.code'],
    ['text for an id', { ...inside, grid: { ...inside.grid, id: '12' } }, '$.grid.id'],
    ['not an object', [], '$'],
  ])('refuses %s', (_name, value, place) => {
    expect(() => readResolution(json(value))).toThrow(`${place}: want`)
  })
})

describe('readGrids', () => {
  const properties = {
    id: 1, code: 'A', name: '甲', kind: 'urban', street: 's', street_name: '街', department: 'd', department_name: '所',
    area_m2: 5.5, label: [121.05, 31.05],
  }
  const objects = { grids: { type: 'GeometryCollection', geometries: [{ type: 'Polygon', id: 1, properties, arcs: [[0]] }] } }

  it('plain arcs', () => {
    const got = readGrids(json({ type: 'Topology', generation: { number: 1, hash: '9f3a' }, arcs: [[[121, 31], [121.1, 31], [121, 31.1], [121, 31]]], objects }))
    expect(got.net.arcs[0]?.[1]).toEqual({ x: 1211000000, y: 310000000 })
    expect(got.net.faces).toEqual([{ id: 1, polygons: [[[0]]] }])
    expect(got.hash).toBe('9f3a')
    expect(got.grids[0]?.street).toEqual({ code: 's', name: '街' })
  })

  it('arcs as steps of a transform', () => {
    const got = readGrids(json({
      type: 'Topology',
      transform: { scale: [1e-7, 1e-7], translate: [121, 31] },
      arcs: [[[0, 0], [1000000, 0], [-1000000, 1000000], [0, -1000000]]],
      objects,
    }))
    expect(got.net.arcs[0]).toEqual([
      { x: 1210000000, y: 310000000 }, { x: 1211000000, y: 310000000 },
      { x: 1210000000, y: 311000000 }, { x: 1210000000, y: 310000000 },
    ])
  })

  it('refuses an arc that is not there', () => {
    expect(() => readGrids(json({ type: 'Topology', arcs: [], objects }))).toThrow('want an arc below 0, got 0')
  })
})

describe('readStreets', () => {
  it('reads counts, and a street without a seat', () => {
    const got = readStreets(json({ streets: [{ code: 's', name: '街', grids: 3, urban: 1, autonomous: 2, area_m2: 9 }] }))
    expect(got).toEqual([{ code: 's', name: '街', seat: null, grids: 3, urban: 1, autonomous: 2, areaM2: 9 }])
  })
})
