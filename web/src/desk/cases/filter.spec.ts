import { describe, expect, it } from 'vitest'
import type { CaseLine } from '../../api/cases'
import type { Filter } from './filter'
import { belongs, countedBy, readFilter, sameFilter, showsClosed, withPart, writeFilter } from './filter'

const now = 1_000_000_000_000
const line: CaseLine = {
  id: 7, seq: 3, state: 'filed', overlays: ['verified', 'supervised'], channel: 'public', item: '0701', key: false, text: '占道', received: now - 1000,
  place: { at: [121.3, 31.3], accuracyM: 5, address: '博乐路 1 号', generation: 1, grid: '310114001U01', street: '310114001' },
  lead: { code: 'D17', name: '交警' }, order: null, next: { clock: 'dispatch', stage: '', at: now + 60_000 }, allowed: [],
}

describe('filter', () => {
  it('reads what it writes, in one order, and nothing that is none', () => {
    const filter = readFilter({ q: ' 积水 ', street: '310114001', state: 'filed', secret: 'x', due: '' })
    expect(filter).toEqual({ state: 'filed', street: '310114001', q: '积水' })
    expect(Object.keys(writeFilter(filter))).toEqual(['state', 'street', 'q'])
    expect(readFilter(writeFilter(filter))).toEqual(filter)
  })

  it('sets and takes out parts', () => {
    expect(withPart({ state: 'filed' }, 'street', '1')).toEqual({ state: 'filed', street: '1' })
    expect(withPart({ state: 'filed', street: '1' }, 'street', '')).toEqual({ state: 'filed' })
    expect(sameFilter({ state: 'filed' }, { state: 'filed', q: '' })).toBe(true)
    expect(sameFilter({ state: 'filed' }, {})).toBe(false)
  })

  it('counts by where and what, not by the queue itself', () => {
    expect(countedBy({ state: 'filed', due: 'near', street: '1', q: 'x', item: '0701' })).toEqual({ street: '1', item: '0701' })
  })

  it.each([
    ['all that is open', {}, false], ['an open state', { state: 'filed' }, false], ['a final state', { state: 'void' }, true], ['what is over', { closed: '1' }, true],
  ] as [string, Filter, boolean][])('knows %s', (_name, filter, want) => {
    expect(showsClosed(filter)).toBe(want)
  })

  it.each([
    ['nothing asked', {}, true],
    ['its state', { state: 'filed' }, true],
    ['another state', { state: 'accepted' }, false],
    ['what is over', { closed: '1' }, false],
    ['its overlay', { overlay: 'supervised' }, true],
    ['another overlay', { overlay: 'suspended' }, false],
    ['its street and item', { street: '310114001', item: '0701' }, true],
    ['another grid', { grid: '310114001U02' }, false],
    ['its department', { department: 'D17' }, true],
    ['another channel', { channel: '12345' }, false],
    ['near its limit', { due: 'near' }, true],
    ['not yet late', { due: 'overdue' }, false],
    ['words', { q: '积水' }, null],
    ['words, in another state', { q: '积水', state: 'void' }, false],
  ] as [string, Filter, boolean | null][])('tells of a change: %s', (_name, filter, want) => {
    expect(belongs(filter, line, now)).toBe(want)
  })

  it('takes what is due this moment as in time, and what has no clock as never due', () => {
    const due = (at: number | null): CaseLine => ({ ...line, next: at === null ? null : { clock: 'dispatch', stage: '', at } })
    expect(belongs({ due: 'overdue' }, due(now), now)).toBe(false)
    expect(belongs({ due: 'overdue' }, due(now - 1), now)).toBe(true)
    expect(belongs({ due: 'near' }, due(now + 2 * 3_600_000), now)).toBe(false)
    expect(belongs({ due: 'near' }, due(null), now)).toBe(false)
  })
})
