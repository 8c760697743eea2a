import { describe, expect, it } from 'vitest'
import { ApiFault } from '../api/fault'
import { explain } from './explain'
import { en } from './strings/en'
import { zh } from './strings/zh'

const refused = (status: number, detail: string, parameter = ''): ApiFault =>
  new ApiFault('refused', '', { type: 'about:blank', title: 'T', status, detail, parameter })

describe('explain', () => {
  it.each([
    ['no connection', new ApiFault('unreachable', 'x'), '连不上服务器', '请检查网络。恢复后会自动重试。'],
    ['a bad parameter', refused(400, '99 is not a latitude', 'lat'), '请求有误', '参数 lat: 99 is not a latitude'],
    ['a parameter the detail names already', refused(400, 'lat 99', 'lat'), '请求有误', 'lat 99'],
    ['no detail', refused(500, ''), '服务器出错', 'T'],
    ['not there', refused(404, 'no grid X'), '没有找到', 'no grid X'],
    ['starting', refused(503, 'loading'), '服务正在启动或暂不可用', 'loading'],
  ])('%s', (_name, fault, title, detail) => {
    expect(explain(fault, zh)).toEqual({ title, detail })
  })
})

describe('the catalogues', () => {
  const paths = (value: object, at = ''): string[] =>
    Object.entries(value).flatMap(([key, v]) => (typeof v === 'object' ? paths(v as object, `${at}${key}.`) : [`${at}${key}`]))

  it('have the same entries, none of them empty', () => {
    expect(paths(en)).toEqual(paths(zh))
    const leaves = (value: object): unknown[] => Object.values(value).flatMap((v) => (typeof v === 'object' ? leaves(v as object) : [v]))
    expect([...leaves(zh), ...leaves(en)].filter((v) => v === '')).toEqual([])
  })
})
