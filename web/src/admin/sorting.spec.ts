import { describe, expect, it } from 'vitest'
import type { ChangeKind, GridChange } from '../api/generations'
import { BY_CHANGE, pressed, sorted } from './sorting'

const change = (code: string, kind: ChangeKind, baseAreaM2: number, areaM2: number): GridChange => ({
  id: 1, code, name: code, kind, baseAreaM2, areaM2, attributes: [], parts: [],
})
const changes = [change('A', 'redrawn', 100, 120), change('B', 'gone', 90, 0), change('C', 'new', 0, 300), change('D', 'redrawn', 120, 100)]
const codes = (list: readonly GridChange[]): string => list.map((c) => c.code).join('')

describe('sorted', () => {
  it.each([
    ['by change, whichever way', BY_CHANGE, null, 'CBAD'],
    ['by change upwards, equals still by code', { column: 'delta', down: false }, null, 'ADBC'],
    ['by kind, the gravest first', { column: 'kind', down: false }, null, 'BCAD'],
    ['by code backwards', { column: 'grid', down: true }, null, 'DCBA'],
    ['one kind only', { column: 'before', down: true }, 'redrawn', 'DA'],
  ] as const)('%s', (_name, order, kind, want) => {
    expect(codes(sorted(changes, order, kind))).toBe(want)
    expect(codes(changes)).toBe('ABCD')
  })
})

describe('pressed', () => {
  it('turns the column round, and begins figures with the greatest', () => {
    expect(pressed(BY_CHANGE, 'delta')).toEqual({ column: 'delta', down: false })
    expect(pressed(BY_CHANGE, 'after')).toEqual({ column: 'after', down: true })
    expect(pressed(BY_CHANGE, 'grid')).toEqual({ column: 'grid', down: false })
  })
})
