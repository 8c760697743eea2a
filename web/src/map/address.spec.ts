import { describe, expect, it } from 'vitest'
import type { Place } from './address'
import { readAddress, writeAddress } from './address'

const view = { center: [121.247, 31.383], zoom: 12.5 } as const

describe('the address', () => {
  it.each<[string, Place, string]>([
    ['nothing', { view: null, choice: null }, ''],
    ['a view', { view, choice: null }, '#map=12.50/31.38300/121.24700'],
    ['a point', { view, choice: { kind: 'point', at: [121.2471234, 31.3], datum: 'wgs84' } }, '#map=12.50/31.38300/121.24700&at=121.2471234,31.3000000'],
    ['a grid', { view: null, choice: { kind: 'grid', code: '310114004U03' } }, '#grid=310114004U03'],
    ['a code that needs quoting', { view: null, choice: { kind: 'grid', code: '甲&1' } }, '#grid=%E7%94%B2%261'],
    ['a street', { view: null, choice: { kind: 'street', code: '310114004' } }, '#street=310114004'],
  ])('%s, written and read back', (_name, place, hash) => {
    expect(writeAddress(place)).toBe(hash)
    expect(readAddress(hash)).toEqual(place)
  })

  it.each([
    ['half a view', '#map=12/31'],
    ['words for numbers', '#map=a/b/c&at=x,y'],
    ['a latitude beyond the pole', '#at=121.2,91'],
    ['an empty code', '#grid='],
    ['a percent sign astray', '#%'],
  ])('takes %s as absent', (_name, hash) => {
    expect(readAddress(hash)).toEqual({ view: null, choice: null })
  })
})
