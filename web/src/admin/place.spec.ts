import { describe, expect, it } from 'vitest'
import { openTo, readPlace, writePlace } from './place'

describe('place', () => {
  it.each([
    ['a section', '#/accounts', { section: 'accounts', pair: null, unit: '' }],
    ['without the slash', '#audit', { section: 'audit', pair: null, unit: '' }],
    ['two generations', '#/generations/3/12', { section: 'generations', pair: [3, 12], unit: '' }],
    ['a unit', '#/units/jd-0017', { section: 'units', pair: null, unit: 'jd-0017' }],
    ['a unit of any name', '#/units/%E7%94%B2%2F1', { section: 'units', pair: null, unit: '甲/1' }],
    ['a damaged code', '#/units/%E7', null],
    ['two units', '#/units/a/b', null],
    ['one generation alone', '#/generations/3', null],
    ['three generations', '#/generations/1/2/3', null],
    ['no number', '#/generations/1/x', null],
    ['zero', '#/generations/0/1', null],
    ['numbers elsewhere', '#/accounts/1/2', null],
    ['nowhere', '#/', null],
    ['an unknown section', '#/secrets', null],
  ])('reads %s', (_name, hash, want) => {
    expect(readPlace(hash)).toEqual(want)
  })

  it('reads what it writes', () => {
    for (const hash of ['#/me', '#/generations/7/8', '#/units/%E7%94%B2%2F1']) expect(writePlace(readPlace(hash)!)).toBe(hash)
  })

  it('opens to a caller only what the actions allow', () => {
    expect(openTo(['map.read', 'generations.read', 'audit.read'])).toEqual(['generations', 'audit', 'me'])
    expect(openTo(['tracks.read'])).toEqual(['units', 'me'])
    expect(openTo([])).toEqual(['me'])
  })
})
