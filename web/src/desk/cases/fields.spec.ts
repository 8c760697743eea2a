import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Field, Known } from './fields'
import { BATCHED, BLANK, barred, batchActions, batchFields, bodyOf, fieldsOf, missing } from './fields'

const now = Date.parse('2026-11-24T08:00:00Z')
const place = { at: [121.3, 31.3] as const, accuracyM: 5, address: '', generation: 1, grid: '310114001U01', street: '310114001' }
const whole: Known = { item: '0701', place, cycle: 1 }
const bare: Known = { item: '', place: null, cycle: 1 }
const required = (fields: readonly Field[]): string[] => fields.filter((f) => f.required).map((f) => f.name)

describe('fields of an action', () => {
  it.each([
    ['accept, when all is known', 'accept', ['item', 'place', 'verified'], whole, false, []],
    ['accept, when nothing is', 'accept', ['item', 'place', 'verified'], bare, false, ['item', 'position']],
    ['dispatch', 'dispatch', ['lead-department'], whole, false, []],
    ['dispatch at a border', 'dispatch', ['lead-department'], whole, true, ['answer']],
    ['dispose', 'dispose', ['evidence'], whole, false, ['evidence']],
    ['a second extension', 'extend-again', ['reason', 'extra-time', 'written-request'], whole, false, ['extra', 'writing', 'text']],
    ['supervise', 'supervise', ['reason', 'reply-by'], whole, false, ['replyBy', 'text']],
    ['reassign', 'reassign', ['reason', 'lead-department'], whole, false, ['lead', 'text']],
    ['joint duty', 'joint-duty', ['joint-duty'], whole, false, ['joint']],
    ['what the case itself must meet', 'close', ['another-person', '12345-order'], whole, false, []],
  ] as const)('needs for %s', (_name, action, needs, known, asks, want) => {
    expect(required(fieldsOf(action, needs, known, asks))).toEqual(want)
  })

  it('offers what an action has a use for, and no more', () => {
    const names = (action: string, known: Known): string[] => fieldsOf(action, [], known, false).map((f) => f.name)
    expect(names('accept', whole)).toEqual(['item', 'position', 'evidence', 'text'])
    expect(names('accept', { ...whole, cycle: 2 })).toEqual(['evidence', 'text'])
    expect(names('self-handle', whole)).toEqual(['evidence', 'text'])
    expect(names('void', whole)).toEqual(['evidence', 'text', 'duplicate'])
    expect(names('close', whole)).toEqual(['evidence', 'text'])
  })

  it('says what stands in the way', () => {
    const open = { ...whole, channel: 'public', overlays: [] }
    expect(barred('accept', ['verified'], open)).toBe('unverified')
    expect(barred('accept', ['verified'], { ...open, overlays: ['verified'] })).toBe(null)
    expect(barred('accept', ['verified'], { ...open, channel: 'patrol' })).toBe(null)
    expect(barred('self-handle', ['item', 'place'], { ...open, ...bare })).toBe('no-item')
    expect(barred('self-handle', ['item', 'place'], { ...open, ...bare, item: '0701' })).toBe('no-place')
  })
})

describe('a draft', () => {
  const fields = (...names: Field['name'][]): Field[] => names.map((name) => ({ name, required: true }))

  it.each([
    ['words', fields('text'), { ...BLANK, text: '  ' }, ['text']],
    ['a review that is past', fields('review'), { ...BLANK, review: ['2026-11-24', '15:59'] as const }, ['review']],
    ['a day that there is not', fields('review'), { ...BLANK, review: ['2026-02-30', '09:00'] as const }, ['review']],
    ['no time', fields('extra'), { ...BLANK, extraHours: '0' }, ['extra']],
    ['words for hours', fields('extra'), { ...BLANK, extraHours: 'vier' }, ['extra']],
    ['which grid', fields('answer'), BLANK, ['answer']],
    ['why by hand', [{ name: 'lead', required: false }, { name: 'text', required: false }] as Field[], { ...BLANK, lead: 'D17' }, ['text']],
    ['why by hand, in the place of the question', [...fields('answer'), { name: 'lead', required: false }] as Field[], { ...BLANK, lead: 'D17', text: '现场确认' }, []],
    ['nothing', fields('text', 'evidence', 'review', 'extra'), { ...BLANK, text: '雨', evidence: ['a.jpg'], review: ['2026-11-24', '16:01'] as const, extraHours: '1.5' }, []],
  ] as const)('lacks %s', (_name, list, draft, want) => {
    expect(missing(list, draft, now)).toEqual(want)
  })

  it('sends what was filled in, as the server has it', () => {
    const all = fields('text', 'evidence', 'review', 'replyBy', 'extra', 'position', 'joint', 'kind', 'answer', 'lead', 'item', 'duplicate')
    expect(bodyOf(all, BLANK, 4, now)).toEqual({ seq: 4 })
    const draft = {
      ...BLANK, text: ' 雨天 ', evidence: ['a.jpg'], review: ['2026-11-27', '09:00'] as const, extraHours: '1.5', answer: 7, template: 'street-order', joining: ['S05'],
      position: { at: [121.3, 31.3] as const, address: '博乐路' }, duplicate: '12',
    }
    expect(bodyOf(all, draft, 4, now)).toEqual({
      seq: 4, text: '雨天', evidence: ['a.jpg'], review: '2026-11-27T01:00:00.000Z', extra_ns: 5400e9, answer: 7, template: 'street-order', joining: ['S05'],
      position: { lon: 121.3, lat: 31.3, address: '博乐路' }, duplicate_of: 12,
    })
    expect(bodyOf(fields('text'), draft, 4, now)).toEqual({ seq: 4, text: '雨天' })
  })
})

describe('a batch', () => {
  it('asks for what is the same for all', () => {
    expect(batchFields('dispatch').map((f) => f.name)).toEqual(['text'])
    expect(required(batchFields('supervise'))).toEqual(['replyBy', 'text'])
    expect(required(batchFields('accept'))).toEqual([])
  })

  it('offers what some of the selected allow, what all allow first', () => {
    expect(batchActions([['note', 'dispatch', 'dispose'], ['note', 'dispatch'], ['note']])).toEqual([
      { action: 'note', cases: 3 },
      { action: 'dispatch', cases: 2 },
    ])
    expect(batchActions([])).toEqual([])
  })

  // The table in the documentation comes out of the life cycle itself.
  it('knows the needs of the life cycle', () => {
    const table = readFileSync(join(import.meta.dirname, '../../../../docs/casework.md'), 'utf8')
    const rows = [...table.matchAll(/^\| `([a-z0-9-]+)` \|(.*)\|$/gm)].map(([, action, rest]) => [action!, rest!.split('|')] as const)
    const needs = new Map(rows.filter(([, cells]) => cells.length === 9).map(([action, cells]) => [action, cells[5]!.trim().split(', ').filter(Boolean)]))
    expect(needs.size).toBeGreaterThan(30)
    for (const [action, list] of Object.entries(BATCHED)) expect([action, ...list]).toEqual([action, ...(needs.get(action) ?? ['not in the life cycle'])])
  })
})
