import { expect, it } from 'vitest'
import { palettes } from '../ui/palette'
import type { Hatching } from './hatch'
import { hatch } from './hatch'

it('hatches every kind differently, and leaves most of the square clear', () => {
  const kinds = Object.keys(palettes.dark.change) as Hatching[]
  const masks = kinds.map((kind) => {
    const { data } = hatch(kind, palettes.dark.change[kind])
    const mask = Array.from({ length: data.length / 4 }, (_, i) => (data[i * 4 + 3] === 255 ? 1 : 0))
    const share = mask.filter(Boolean).length / mask.length
    expect(share, kind).toBeGreaterThan(0.03)
    expect(share, kind).toBeLessThan(0.6)
    return mask.join('')
  })
  expect(new Set(masks).size).toBe(kinds.length)
  const { split } = palettes.dark.change
  const [r, g, b] = hatch('split', split).data
  expect(`#${[r, g, b].map((n) => n!.toString(16).padStart(2, '0')).join('')}`).toBe(split)
})
