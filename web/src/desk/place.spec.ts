import { describe, expect, it } from 'vitest'
import { readPlace, writePlace } from './place'

describe('place', () => {
  it.each([
    ['a section', '#/figures', { section: 'figures', path: [], query: {} }],
    ['without the slash', '#cases', { section: 'cases', path: [], query: {} }],
    ['one case', '#/cases/71', { section: 'cases', path: ['71'], query: {} }],
    ['a filter', '#/cases?state=filed&due=near', { section: 'cases', path: [], query: { state: 'filed', due: 'near' } }],
    ['one case under a filter', '#/cases/71?q=%E6%B3%95', { section: 'cases', path: ['71'], query: { q: '法' } }],
    ['a part of any name', '#/inspection/%E7%94%B2%2F1', { section: 'inspection', path: ['甲/1'], query: {} }],
    ['a damaged part', '#/inspection/%E7', null],
    ['nowhere', '#/', null],
    ['an unknown section', '#/secrets', null],
  ])('reads %s', (_name, hash, want) => {
    expect(readPlace(hash)).toEqual(want)
  })

  it('reads what it writes', () => {
    for (const hash of ['#/cases', '#/cases/7?state=to-check&q=%E6%B3%95+1', '#/inspection/%E7%94%B2%2F1']) expect(writePlace(readPlace(hash)!)).toBe(hash)
  })
})
