import { describe, expect, it } from 'vitest'
import type { Coord } from './coord'
import type { Net } from './net'
import { FaceIndex, neighbours, outlineOf, ringsOf, sidesOf } from './net'

const run = (...xy: [number, number][]): Coord[] => xy.map(([x, y]) => ({ x, y }))

// Three unit squares in a row: 1 | 2 | 3.
const row: Net = {
  arcs: [
    run([1, 0], [1, 1]), // 0: between 1 and 2
    run([2, 0], [2, 1]), // 1: between 2 and 3
    run([1, 1], [0, 1], [0, 0], [1, 0]), // 2: round 1
    run([1, 0], [2, 0]), // 3: under 2
    run([2, 1], [1, 1]), // 4: over 2
    run([2, 0], [3, 0], [3, 1], [2, 1]), // 5: round 3
  ],
  faces: [
    { id: 1, polygons: [[[0, 2]]] },
    { id: 2, polygons: [[[3, 1, 4, ~0]]] },
    { id: 3, polygons: [[[5, ~1]]] },
  ],
}

describe('a net', () => {
  it('joins arcs to rings, backwards where told', () => {
    expect(ringsOf(row, row.faces[1]!)).toEqual([run([1, 0], [2, 0], [2, 1], [1, 1])])
  })

  it('knows the faces beside each arc', () => {
    expect(sidesOf(row)).toEqual([[1, 2], [2, 3], [1], [2], [2], [3]])
  })

  it('outlines all faces as one ring', () => {
    const [ring, ...rest] = outlineOf(row, row.faces)
    expect(rest).toEqual([])
    expect(ring).toHaveLength(8)
  })

  it('outlines some faces, and separate ones apart', () => {
    expect(outlineOf(row, row.faces.slice(0, 2))).toHaveLength(1)
    expect(outlineOf(row, [row.faces[0]!, row.faces[2]!])).toHaveLength(2)
  })

  it('tells neighbours by group', () => {
    const beside = neighbours(row, (id) => (id === 3 ? 'east' : 'west'))
    expect([...beside.get('west')!]).toEqual(['east'])
    const single = neighbours(row, String)
    expect([...single.get('1')!]).toEqual(['2'])
  })
})

describe('FaceIndex', () => {
  const index = new FaceIndex({ ...row, arcs: row.arcs.map((arc) => arc.map((c) => ({ x: c.x * 10, y: c.y * 10 }))) })
  it.each([
    ['inside', 5, 5, 1],
    ['on a border: east of it', 10, 5, 2],
    ['on the south outline: inside', 25, 0, 3],
    ['on the north outline: outside', 25, 10, 0],
    ['on the east outline: outside', 30, 5, 0],
    ['far away', 500, 5, 0],
  ])('%s', (_name, x, y, want) => {
    expect(index.locate({ x, y })).toBe(want)
  })
})
