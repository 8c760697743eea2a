import { describe, expect, it } from 'vitest'
import type { CaseIndex } from '../../api/caseindex'
import type { Row } from './queue'
import { Queue, bitsOf, overlaysOf, rowOf } from './queue'

const index: CaseIndex = {
  asOf: 0,
  states: ['filed', 'in-disposal'],
  overlays: [],
  items: ['0701', '0616'],
  streets: ['310114001'],
  departments: ['D17'],
  rows: [
    [11, 3, 12_130_000, 3_130_000, 100, 0, 1, 0, 0, 0, 50, 1],
    [12, 5, 12_131_000, 3_131_000, 200, 1, 0, 1, 0, -1, 40, 4],
    [13, 1, 0, 0, null, 0, 128, -1, -1, -1, 30, 0],
  ],
}
const queue = (): Queue => Queue.of(index, false)
const ids = (q: Queue): number[] => Array.from({ length: q.length }, (_, i) => q.id(i))

describe('queue', () => {
  it('reads an index', () => {
    const q = queue()
    expect(q.row(0)).toMatchObject({ id: 11, seq: 3, due: 100_000, state: 'filed', overlays: 1, item: '0701', street: '310114001', department: 'D17', received: 50_000, flags: 1, gone: false })
    expect(q.row(0).at?.[0]).toBeCloseTo(121.3, 5)
    expect(q.row(1)).toMatchObject({ state: 'in-disposal', item: '0616', department: '' })
    expect(q.row(2)).toMatchObject({ at: null, due: null, item: '', street: '' })
    expect(q.indexOf(12)).toBe(1)
    expect(q.indexOf(99)).toBe(-1)
  })

  it('changes a row where it stands, however its due time moves', () => {
    const q = queue()
    q.put({ ...q.row(1), seq: 6, due: 1, state: 'to-check' as const })
    expect(ids(q)).toEqual([11, 12, 13])
    expect(q.row(1)).toMatchObject({ seq: 6, due: 1, state: 'to-check' })
    q.settle()
    expect(ids(q)).toEqual([12, 11, 13])
    expect(q.indexOf(11)).toBe(1)
  })

  it('does not go back to what was before', () => {
    const q = queue()
    q.put({ ...q.row(0), seq: 2, state: 'reported' as const })
    expect(q.row(0)).toMatchObject({ seq: 3, state: 'filed' })
  })

  it('lets new cases wait, and those that left stay, until it is settled', () => {
    const q = queue()
    q.put({ ...q.row(0), id: 20, seq: 1, due: 150_000 })
    q.put({ ...q.row(0), id: 20, seq: 2, due: 160_000 })
    q.leave(11)
    expect([q.fresh, q.unsettled, q.seqOf(20)]).toEqual([1, true, 2])
    expect(ids(q)).toEqual([11, 12, 13])
    expect(q.row(0).gone).toBe(true)
    q.settle()
    expect(ids(q)).toEqual([20, 12, 13])
    expect([q.fresh, q.unsettled]).toEqual([0, false])
  })

  it('forgets a new case that left before it was shown', () => {
    const q = queue()
    q.put({ ...q.row(0), id: 20, seq: 1 })
    q.leave(20)
    expect([q.fresh, q.has(20)]).toEqual([0, false])
  })

  it('has what comes back be there again', () => {
    const q = queue()
    const row = q.row(0)
    q.leave(11)
    q.put({ ...row, seq: 4 })
    expect(q.row(0)).toMatchObject({ gone: false, seq: 4 })
  })

  it('takes a later index as changes', () => {
    const q = queue()
    q.follow({ ...index, rows: [[15, 1, 0, 0, 10, 0, 0, 0, 0, 0, 50, 0], [12, 6, 0, 0, 300, 0, 0, 1, 0, -1, 40, 4], index.rows[2]!] })
    expect(ids(q)).toEqual([11, 12, 13])
    expect([q.row(0).gone, q.row(1).seq, q.row(2).gone, q.fresh]).toEqual([true, 6, false, 1])
    q.follow(index)
    expect([q.row(0).gone, q.row(1).seq, q.fresh]).toEqual([false, 6, 0])
  })

  it('drops a row, and the rest moves up', () => {
    const q = queue()
    q.drop(11)
    expect(ids(q)).toEqual([12, 13])
    expect(q.row(q.indexOf(13))).toMatchObject({ id: 13, due: null })
    q.drop(11)
    q.drop(13)
    expect(ids(q)).toEqual([12])
  })

  it('makes the same of a line as of a row of the index', () => {
    const line = {
      id: 11, seq: 3, state: 'filed', overlays: ['verified'], channel: 'patrol', item: '0701', key: true, text: '', received: 50_000,
      place: { at: [121.3, 31.3], accuracyM: 0, address: '', generation: 1, grid: '', street: '310114001' },
      lead: { code: 'D17', name: '' }, order: null, next: { clock: 'dispatch', stage: '', at: 100_000 }, allowed: [],
    } as const
    const { at, ...rest } = queue().row(0)
    const { at: _, ...got } = rowOf(line)
    expect(got).toEqual(rest)
    expect(at?.[1]).toBeCloseTo(31.3, 4)
    expect(overlaysOf(bitsOf(['checked', 'watched']))).toEqual(['checked', 'watched'])
  })

  it('shows what is over the newest first', () => {
    const q = new Queue(true)
    for (const id of [5, 9, 7]) q.put({ ...queue().row(0), id } as Row)
    q.settle()
    expect(ids(q)).toEqual([9, 7, 5])
  })

  it('holds as many as come', () => {
    const q = new Queue()
    const row = queue().row(0)
    for (let id = 1; id <= 5000; id++) q.put({ ...row, id, due: 5000 - id })
    q.settle()
    expect(q.length).toBe(5000)
    expect(q.id(0)).toBe(5000)
    let seen = 0
    q.everyPlace(() => seen++)
    expect(seen).toBe(5000)
  })
})
