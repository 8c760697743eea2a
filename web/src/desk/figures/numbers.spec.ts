import { describe, expect, it } from 'vitest'
import { change, grouped, value } from './numbers'

const figure = (numerator: number, denominator: number, before: [number, number] | null = null) => ({
  numerator,
  denominator,
  before: before && { numerator: before[0], denominator: before[1] },
})

describe('figures', () => {
  it.each([
    [figure(287_241, 287_894), false, '99.77 %'],
    [figure(10_301, 10_800), false, '95.38 %'],
    [figure(10_208, 10_800), false, '94.52 %'],
    [figure(10_208, 10_301), false, '99.10 %'],
    [figure(298_694, 0), true, '298,694'],
    [figure(0, 0), false, '—'],
    [figure(0, 0), true, '0'],
    [figure(1, 8), false, '12.50 %'],
    [figure(1, 1), false, '100.00 %'],
  ])('%o is %s', (f, count, want) => expect(value(f, count)).toBe(want))

  it.each([
    ['street robberies', figure(17, 0, [36, 0]), true, '−52.78 %', 'down'],
    ['enforcement', figure(41_300, 0, [66_266, 0]), true, '−37.68 %', 'down'],
    ['stalls', figure(12_460, 0, [22_510, 0]), true, '−44.65 %', 'down'],
    ['medicine', figure(60, 0, [121, 0]), true, '−50.41 %', 'down'],
    ['more', figure(298_694, 0, [293_112, 0]), true, '+1.90 %', 'up'],
    ['much more', figure(5000, 0, [1, 0]), true, '+499,900.00 %', 'up'],
    ['the same', figure(5, 0, [5, 0]), true, '0.00 %', 'same'],
    ['a rate', figure(10_301, 10_800, [9_312, 9_917]), false, '+1.48', 'up'],
  ])('%s', (_name, f, count, text, direction) => expect(change(f, count)).toMatchObject({ text, direction, points: !count }))

  it('has nothing to compare', () => {
    expect(change(figure(5, 0), true)).toBeNull()
    expect(change(figure(5, 0, [0, 0]), true)).toBeNull()
    expect(change(figure(1, 2, [0, 0]), false)).toBeNull()
  })

  it('groups thousands', () => expect([0, 999, 1000, 1_234_567].map(grouped)).toEqual(['0', '999', '1,000', '1,234,567']))
})
