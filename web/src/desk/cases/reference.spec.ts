import { describe, expect, it } from 'vitest'
import { departmentName } from './reference'

const table = new Map([['D17', '区公安交警支队'], ['S02', '街镇城市管理行政执法中队'], ['S09', '城运中心'], ['S15', '村居综治联勤工作站']].map(([code, name]) => [code!, { code: code!, name: name! }]))
const street = (code: string): string | undefined => (code === '310114004' ? '安亭镇' : undefined)
const grid = (code: string): string | undefined => (code === '310114004A12' ? '方泰村' : undefined)

describe('a department’s name', () => {
  it.each([
    ['of the district', 'D17', '区公安交警支队'],
    ['of a street', '310114004-S02', '安亭镇城市管理行政执法中队'],
    ['of a street, without its word', '310114004-S09', '安亭镇城运中心'],
    ['of a village', '310114004A12-S15', '方泰村综治联勤工作站'],
    ['of a street that is no more', '310114999-S02', '310114999城市管理行政执法中队'],
    ['a code that nobody knows', 'X1', 'X1'],
    ['a template that nobody knows', '310114004-S99', '310114004-S99'],
  ])('%s', (_name, code, want) => {
    expect(departmentName(code, table, street, grid)).toBe(want)
  })
})
