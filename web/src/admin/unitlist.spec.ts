import { describe, expect, it } from 'vitest'
import type { Unit } from '../api/units'
import { EVERYONE, filterUnits } from './unitlist'

const unit = (code: string, more: Partial<Unit> = {}): Unit => ({
  id: 1, code, name: '', kind: 'grid-patrol', team: '', street: 'S1', grids: [], duty: 'roster', retired: null, ...more,
})
const units = [
  unit('B2', { name: '张三', team: 'T1', grids: ['310114004A12'] }),
  unit('A1', { name: '李四', street: 'S2', kind: 'vehicle' }),
  unit('C3', { retired: 1000, team: 'T1' }),
]
const codes = (filter: Partial<typeof EVERYONE>): string[] =>
  filterUnits(units, { ...EVERYONE, ...filter }, (u) => (u.code === 'A1' ? 'online' : 'off-duty')).map((u) => u.code)

describe('filterUnits', () => {
  it.each([
    ['all who serve, by code', {}, ['A1', 'B2']],
    ['the retired as well', { retired: true }, ['A1', 'B2', 'C3']],
    ['by any words', { text: '张  a12' }, ['B2']],
    ['whatever the width', { text: 'ｂ２' }, ['B2']],
    ['by street', { street: 'S2' }, ['A1']],
    ['by team', { team: 'T1' }, ['B2']],
    ['of no team', { team: '' }, ['A1']],
    ['by kind', { kind: 'vehicle' as const }, ['A1']],
    ['by presence', { presence: 'off-duty' as const, retired: true }, ['B2']],
    ['nobody', { text: '王' }, []],
  ])('%s', (_name, filter, want) => expect(codes(filter)).toEqual(want))
})
