import { describe, expect, it } from 'vitest'
import type { Item } from '../../api/catalogue'
import { findItems } from './items'

const item = (code: string, name: string, major = '公用设施'): Item => ({ code, name, major: { code: code.slice(0, 2), name: major }, lead: 'U02', responseMinutes: 30, disposalHours: 4, working: false, key: false })
const items = [item('0101', '给水井盖缺损'), item('0102', '雨水井盖缺损'), item('0701', '占道设摊', '街面秩序'), item('0710', '非法客运', '街面秩序')]
const found = (text: string): string[] => findItems(items, text, 9).map((i) => i.code)

describe('items', () => {
  it.each([
    ['a code', '0701', ['0701']],
    ['the beginning of a code', '01', ['0101', '0102']],
    ['a part of a name', '井盖', ['0101', '0102']],
    ['characters in order', '井损', ['0101', '0102']],
    ['characters out of order', '损井', []],
    ['a major', '街面', ['0701', '0710']],
    ['what begins with it first', '雨水', ['0102']],
    ['nothing', ' ', ['0101', '0102', '0701', '0710']],
  ])('are found by %s', (_name, text, want) => {
    expect(found(text)).toEqual(want)
  })

  it('are no more than asked for', () => {
    expect(findItems(items, '0', 2)).toHaveLength(2)
  })
})
