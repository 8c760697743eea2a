import { describe, expect, it } from 'vitest'
import { Json } from '../../api/decode'
import type { Edition, FullItem, Standard } from '../../api/settings'
import { readDistrictRules, readEdition, wireItem } from '../../api/settings'
import { byMajor, differences, search } from './differences'
import { register } from './register'
import { knownYears, monthsOf, readDays, workingDays } from './year'

const item = (code: string, change: Partial<FullItem> = {}): FullItem => ({
  code, name: `事项${code}`, major: { code: code.slice(0, 2), name: '街面秩序' }, kind: 'event', lead: 'S02', support: [], responseMinutes: 60, disposalHours: 8, clock: 'working', key: false, stages: [], ...change,
})
const edition = (items: FullItem[], departments = [{ code: 'S02', name: '城管中队', level: 'street' }]): Edition => ({ number: 1, from: null, hash: '', count: items.length, versions: [], items, departments })

describe('differences', () => {
  it('are the cells, and the rows that came and went', () => {
    const a = edition([item('0701'), item('0702')])
    const b = edition([item('0701', { responseMinutes: 45, key: true }), item('0801')], [{ code: 'S02', name: '城管', level: 'street' }])
    expect(differences(a, b)).toEqual([
      { code: 'S02', name: '城管', column: 'name', before: '城管中队', after: '城管' },
      { code: '0701', name: '事项0701', column: 'response', before: '60 min', after: '45 min' },
      { code: '0701', name: '事项0701', column: 'key', before: '–', after: '✓' },
      { code: '0702', name: '事项0702', column: null, before: '事项0702', after: '' },
      { code: '0801', name: '事项0801', column: null, before: '', after: '事项0801' },
    ])
    expect(differences(a, a)).toEqual([])
  })
})

describe('items', () => {
  it('are found by every word', () => {
    const all = [item('0801'), item('0701', { name: '占道设摊' })]
    expect(search(all, ' 占道  城管', () => '城管中队').map((i) => i.code)).toEqual(['0701'])
    expect(search(all, '', () => '')).toBe(all)
    expect(search(all, '占道 水务', () => '城管中队')).toEqual([])
    expect(byMajor(all).map((m) => [m.code, m.items.length])).toEqual([['07', 1], ['08', 1]])
  })

  it('go back to the server as they came', () => {
    const wire = { code: '0801', name: '违建', major: { code: '08', name: '房屋' }, kind: 'event', lead_department: 'S02', support_departments: ['S15'], response_minutes: 60, disposal_hours: 240, clock: 'working', xiaolianqin_key: true, stages: [{ name: '停工', hours: 8 }] }
    const got = readEdition(new Json({ number: 2, from: '2026-01-01T00:00:00+08:00', hash: 'x', item_count: 1, versions: [], items: [wire], departments: [] }))
    expect(wireItem(got.items[0]!)).toEqual(wire)
    expect(got.from).toBe(Date.parse('2025-12-31T16:00:00Z'))
  })
})

describe('the year', () => {
  const days = readDays('date,kind,name\n2026-01-01,holiday,元旦\n2026-01-04,working-weekend,"元旦, 调休"\n')
  it('has its days', () => {
    expect(days[1]).toEqual({ date: '2026-01-04', kind: 'working-weekend', name: '元旦, 调休' })
    expect(knownYears(days)).toEqual([2026])
  })
  it('begins its months on the right weekday', () => {
    const months = monthsOf(2026, days)
    expect(months.map((m) => m.cells.length)).toEqual([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    expect([months[0]!.lead, months[1]!.lead]).toEqual([3, 6]) // Thursday, Sunday
    expect(months[0]!.cells.slice(0, 5).map((c) => c.worked)).toEqual([false, true, false, true, true])
    expect(workingDays(monthsOf(2026, []))).toBe(261)
    expect(workingDays(months)).toBe(261)
    expect(monthsOf(2028, [])[1]!.cells.length).toBe(29)
  })
})

describe('the register', () => {
  const s = (code: string, version: number, from: number, name = '规程'): Standard => ({ code, version, from, name })
  it('knows what is in force, what is to come, and what is cited alone', () => {
    const got = register([s('B01', 1, 10), s('B01', 2, 20, '修订'), s('B06', 1, 5, ''), s('B07', 1, 99)], new Map([['B01', ['accept']], ['B05', []]]), 20)
    expect(got.map((r) => [r.code, r.name, r.now?.version ?? 0, r.versions.length, r.cited.length])).toEqual([['B01', '修订', 2, 2, 1], ['B05', '', 0, 0, 0], ['B06', '', 1, 1, 0], ['B07', '规程', 0, 1, 0]])
  })
  it('is read from the rules', () => {
    const got = readDistrictRules(new Json({ version: '1', coordination: [{ code: 'meeting', name: '联席会议', limit: { span_ns: 3_600_000_000_000, clock: 'working' } }], joint: [], standards: [{ code: 'B06', version: 1, from: '2021-05-01T00:00:00+08:00' }], cited: { B01: ['accept'] } }))
    expect(got.coordination[0]!.limit).toEqual({ spanMs: 3_600_000, clock: 'working' })
    expect(got.standards[0]!.name).toBe('')
    expect(got.cited.get('B01')).toEqual(['accept'])
  })
})
