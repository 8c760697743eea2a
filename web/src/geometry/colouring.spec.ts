import { describe, expect, it } from 'vitest'
import { colour } from './colouring'

function graph(edges: [string, string][]): Map<string, Set<string>> {
  const beside = new Map<string, Set<string>>()
  for (const [a, b] of edges) {
    beside.set(a, (beside.get(a) ?? new Set()).add(b))
    beside.set(b, (beside.get(b) ?? new Set()).add(a))
  }
  return beside
}

const clashes = (beside: Map<string, Set<string>>, tones: Map<string, number>): number =>
  [...beside].filter(([a, others]) => [...others].some((b) => tones.get(a) === tones.get(b))).length

describe('colour', () => {
  it.each<[string, [string, string][], number]>([
    ['a pair', [['a', 'b']], 2],
    ['four that all touch', [['a', 'b'], ['a', 'c'], ['a', 'd'], ['b', 'c'], ['b', 'd'], ['c', 'd']], 4],
    ['a wheel of five', [['h', '1'], ['h', '2'], ['h', '3'], ['h', '4'], ['h', '5'], ['1', '2'], ['2', '3'], ['3', '4'], ['4', '5'], ['5', '1']], 4],
    ['an even ring needs two', [['1', '2'], ['2', '3'], ['3', '4'], ['4', '1']], 2],
  ])('%s', (_name, edges, tones) => {
    const beside = graph(edges)
    const got = colour(beside, tones)
    expect(got.size).toBe(beside.size)
    expect(clashes(beside, got)).toBe(0)
    expect(Math.max(...got.values())).toBeLessThan(tones)
    expect(colour(beside, tones)).toEqual(got)
  })

  it('still answers when the tones do not suffice', () => {
    const beside = graph([['a', 'b'], ['b', 'c'], ['c', 'a']])
    const got = colour(beside, 2)
    expect(got.size).toBe(3)
  })
})
