import { describe, expect, it } from 'vitest'
import type { Grid } from '../api/grids'
import type { Street } from '../api/streets'
import { quantise } from '../geometry/coord'
import { District } from './district'

const street = (code: string): Street => ({ code, name: code, seat: null, grids: 0, urban: 0, autonomous: 0, areaM2: 0 })
const grid = (id: number, of: string): Grid => ({
  id, code: `${of}A0${id}`, name: String(id), kind: 'autonomous', street: { code: of, name: of }, department: { code: '', name: '' }, areaM2: 1, label: [0, 0],
})
const line = (...xy: [number, number][]) => xy.map(([x, y]) => quantise([121 + x / 100, 31 + y / 100]))

// Two grids of street s beside each other, one of street t east of them.
const district = new District(
  {
    hash: 'h1',
    grids: [grid(1, 's'), grid(2, 's'), grid(3, 't')],
    net: {
      arcs: [
        line([1, 0], [1, 1]), line([2, 0], [2, 1]), line([1, 1], [0, 1], [0, 0], [1, 0]),
        line([1, 0], [2, 0]), line([2, 1], [1, 1]), line([2, 0], [3, 0], [3, 1], [2, 1]),
      ],
      faces: [
        { id: 1, polygons: [[[0, 2]]] },
        { id: 2, polygons: [[[3, 1, 4, ~0]]] },
        { id: 3, polygons: [[[5, ~1]]] },
      ],
    },
  },
  [street('s'), street('t')],
)

describe('District', () => {
  it('knows its bounds in degrees', () => {
    expect(district.bounds).toEqual([121, 31, 121.03, 31.01])
  })

  it.each([
    ['inside', [121.005, 31.005], 's'],
    ['on a border: east of it', [121.02, 31.005], 't'],
    ['outside', [121.05, 31.005], undefined],
  ] as const)('finds the grid at a point: %s', (_name, p, want) => {
    expect(district.at(p)?.street.code).toBe(want)
  })

  it('gives neighbouring streets different tones', () => {
    expect(district.tones.get('s')).not.toBe(district.tones.get('t'))
  })

  it('merges the borders of several grids', () => {
    expect(district.borders([1])[0]).toHaveLength(4)
    expect(district.borders([1, 2])).toHaveLength(1)
    expect(district.borders([1, 3])).toHaveLength(2)
    expect(district.borders([])).toEqual([])
  })

  it('lists grids by street and finds them by code', () => {
    expect(district.gridsOf('s').map((g) => g.id)).toEqual([1, 2])
    expect(district.grid('tA03')?.id).toBe(3)
    expect(district.grid('none')).toBeUndefined()
  })
})
