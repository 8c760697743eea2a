import { describe, expect, it } from 'vitest'
import type { InspectionItem, Result } from '../../api/inspections'
import { answersOf, findingOf, lack, marksOf, nextItem, rate, readPlaces, remediesFor } from './checklist'
import type { Follow } from './checklist'

const checks = [{ code: 'a', subject: 'case', asks: '', asksEn: '', finding: '', text: '' }, { code: 'b', subject: 'case', asks: '', asksEn: '', finding: '', text: '' }] as const
const none: Follow = { action: '', date: '', item: '', text: '' }
const result: Result = { seq: 4, at: 0, by: 'sun', passed: false, awayM: null, marks: [{ check: 'a', verdict: 'bad', severity: 'grave', text: '仍在' }, { check: 'b', verdict: 'good' }], text: '', evidence: [], remedy: null }
const item = (number: number, done: boolean, at: [number, number] | null = null): InspectionItem =>
  ({ number, case: number, name: '', unit: '', street: '', grid: '', department: null, item: '', at, result: done ? result : null, earlier: [] })

describe('a checklist', () => {
  it('says what it lacks', () => {
    const answers = answersOf(checks, null)
    expect(lack(answers, none, true)).toBe('checks')
    answers['a']!.verdict = 'not-applicable'
    answers['b']!.verdict = 'not-applicable'
    expect(lack(answers, none, true)).toBe('checks')
    answers['b']!.verdict = 'bad'
    expect(lack(answers, none, true)).toBe('words')
    answers['b']!.severity = 'minor'
    answers['b']!.text = ' '
    expect(lack(answers, none, true)).toBe('words')
    answers['b']!.text = '仍在'
    expect(lack(answers, none, true)).toBeNull()
    expect(lack(answers, { ...none, action: 'supervise' }, true)).toBe('date')
    expect(lack(answers, { ...none, action: 'report', item: '0701' }, true)).toBe('report')
    expect(lack(answers, { ...none, action: 'report', item: '0701', text: 'x' }, false)).toBe('place')
    expect(lack(answers, { ...none, action: 'reopen' }, false)).toBeNull()
  })

  it('starts a correction from the result before it', () => {
    expect(marksOf(answersOf(checks, result))).toEqual(result.marks)
  })

  it('sends no more than was found', () => {
    const more = { text: '', evidence: [], seq: 9, here: null, spot: null }
    const good = answersOf(checks, { ...result, marks: [{ check: 'a', verdict: 'good' }, { check: 'b', verdict: 'good' }] })
    // What followed was chosen before the finding was taken back.
    expect(findingOf(item(1, false), good, { ...more, follow: { ...none, action: 'reopen' } })).toEqual({ item: 1, marks: [{ check: 'a', verdict: 'good' }, { check: 'b', verdict: 'good' }] })
    expect(findingOf(item(1, true), answersOf(checks, result), { ...more, follow: { ...none, action: 'watch', date: '2026-05-01' } })).toEqual({
      item: 1, marks: result.marks, corrects: 4, action: 'watch', seq: 9, review: '2026-05-01T18:00:00+08:00',
    })
  })

  it('offers what the case allows', () => {
    expect(remediesFor(['reopen', 'watch', 'close', 'note'])).toEqual(['reopen', 'watch', 'report'])
  })
})

describe('the next item', () => {
  it('is the next by number, from the beginning again, and none when all is done', () => {
    expect(nextItem([item(1, false), item(2, true), item(3, false)], 1, null)).toBe(3)
    expect(nextItem([item(1, false), item(2, true), item(3, false)], 3, null)).toBe(1)
    expect(nextItem([item(1, true), item(2, true)], 1, null)).toBe(0)
    expect(nextItem([item(1, false)], 1, null)).toBe(0)
  })

  it('is the nearest where one knows where one is', () => {
    const items = [item(1, false, [121.2, 31.3]), item(2, false, [121.4, 31.3]), item(3, false, [121.31, 31.3]), item(4, false)]
    expect(nextItem(items, 1, [121.3, 31.3])).toBe(3)
  })
})

it.each([[0, 0, ''], [3, 2, '66.67 %'], [1, 1, '100.00 %'], [8, 1, '12.50 %'], [7, 0, '0.00 %']])('%i checked, %i passed: %s', (checked, passed, want) => {
  expect(rate({ key: '', items: checked, checked, passed })).toBe(want)
})

it('reads places', () => {
  expect(readPlaces('310114001U01 菜场后门\n\n 103-001\n121.3，31.2 公交站 东侧', (code) => code.startsWith('3101'))).toEqual({
    places: [{ grid: '310114001U01', name: '菜场后门' }, { unit: '103-001' }, { lon: 121.3, lat: 31.2, name: '公交站 东侧' }], bad: 0,
  })
  expect(readPlaces('103-001\n公交站', () => false).bad).toBe(2)
})
