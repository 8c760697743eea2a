import { describe, expect, it } from 'vitest'
import { area, length, plain, position } from './format'

describe('length', () => {
  it.each([
    [0, '0.0 m'],
    [12.34, '12.3 m'],
    [99.94, '99.9 m'],
    [99.96, '100 m'],
    [999.4, '999 m'],
    [999.6, '1.00 km'],
    [9994, '9.99 km'],
    [9996, '10.0 km'],
    [123456, '123 km'],
  ])('%f m', (metres, want) => {
    expect(plain(length(metres))).toBe(want)
  })
})

describe('area', () => {
  it.each([
    [482_113, '0.482 km²'],
    [1_234_567, '1.23 km²'],
    [33_200_000, '33.2 km²'],
  ])('%f m²', (m2, want) => {
    expect(plain(area(m2))).toBe(want)
  })
})

it('writes positions longitude first', () => {
  expect(position([121.2, 31.38300004])).toBe('121.200000, 31.383000')
})
