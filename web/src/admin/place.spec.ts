import { describe, expect, it } from 'vitest'
import { openTo, readPlace, writePlace } from './place'

describe('place', () => {
  it.each([
    ['a section', '#/accounts', { section: 'accounts', pair: null }],
    ['without the slash', '#audit', { section: 'audit', pair: null }],
    ['two generations', '#/generations/3/12', { section: 'generations', pair: [3, 12] }],
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
    for (const hash of ['#/me', '#/generations/7/8']) expect(writePlace(readPlace(hash)!)).toBe(hash)
  })

  it('opens to a caller only what the actions allow', () => {
    expect(openTo(['map.read', 'generations.read', 'audit.read'])).toEqual(['generations', 'audit', 'me'])
    expect(openTo([])).toEqual(['me'])
  })
})
