import { expect, it } from 'vitest'
import type { Line } from '../../api/figures'
import { barsOf } from './bars'

const line = (key: string, numerator: number, denominator: number, before: [number, number] | null): Line => ({
  key,
  name: '',
  figures: new Map([['x', { numerator, denominator, before: before && { numerator: before[0], denominator: before[1] } }]]),
})

it('draws counts by the greatest of now and before', () => {
  const { bars, floor } = barsOf([line('a', 50, 0, [100, 0]), line('b', 25, 0, null)], 'x', true)
  expect(floor).toBe(0)
  expect(bars.map((b) => [b.now, b.before])).toEqual([[0.5, 1], [0.25, null]])
})

it('draws rates from where they can be told apart', () => {
  const { bars, floor } = barsOf([line('a', 98, 100, [96, 100]), line('b', 100, 100, [0, 0])], 'x', false)
  expect(floor).toBe(0.9)
  expect(bars[0]!.now).toBeCloseTo(0.8)
  expect(bars[0]!.before).toBeCloseTo(0.6)
  expect([bars[1]!.now, bars[1]!.before]).toEqual([1, null])
})

it('draws nothing of nothing', () => {
  expect(barsOf([], 'x', true).bars).toEqual([])
  expect(barsOf([line('a', 0, 0, null)], 'y', false).bars[0]!.now).toBe(0)
})
