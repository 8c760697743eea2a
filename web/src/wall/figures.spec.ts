import { expect, it } from 'vitest'
import { ceiling, grouped, linePath, percent } from './figures'

it('groups thousands', () => expect([0, 999, 1283, 298694].map(grouped)).toEqual(['0', '999', '1,283', '298,694']))

it('rounds rates half up, and has none of nothing', () => {
  expect(percent(287241, 287894)).toBe('99.8')
  expect(percent(1, 2000)).toBe('0.1')
  expect(percent(0, 5)).toBe('0.0')
  expect(percent(5, 5)).toBe('100.0')
  expect(percent(0, 0)).toBeNull()
})

it('draws a line from left to right, higher for more', () => {
  expect(linePath([0, 5, 10], 10, 100, 40)).toBe('M0 40L50 20L100 0')
  expect(linePath([20], 10, 100, 40)).toBe('M0 0')
  expect(linePath([], 10, 100, 40)).toBe('')
})

it('ends an axis at a round number', () => expect([0, 1, 3, 12, 47, 51, 1000].map(ceiling)).toEqual([1, 1, 5, 20, 50, 100, 1000]))
