import { expect, it } from 'vitest'
import { areaText, deltaText, percent } from './figures'

it.each([
  [0, '0 m²', '±0'],
  [0.4, '0 m²', '±0'],
  [999.6, '1,000 m²', '+1,000 m²'],
  [12_345, '12,345 m²', '+12,345 m²'],
  [-500, '-500 m²', '−500 m²'],
  [482_000, '0.482 km²', '+0.482 km²'],
])('%d', (m2, want, delta) => {
  expect(areaText(m2)).toBe(want)
  expect(deltaText(m2)).toBe(delta)
})

it('tells a share that is nearly all from all', () => {
  expect([1, 0.9994, 0.5, 0.0004].map(percent)).toEqual(['100 %', '99.9 %', '50.0 %', '0 %'])
})
