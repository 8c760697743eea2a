import { describe, expect, it } from 'vitest'
import type { Palette } from './palette'
import { palettes } from './palette'

/** Contrast by WCAG 2.1; what is translucent counts as opaque. */
function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)]
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

function luminance(colour: string): number {
  const [r, g, b] = channels(colour).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

function channels(colour: string): number[] {
  if (colour.startsWith('#')) return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16))
  return (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number)
}

describe.each(Object.entries(palettes))('%s', (_theme, p) => {
  const pairs: [string, string, readonly string[]][] = [
    ['text', p.text, [p.page, p.panel, p.raised]],
    ['dim text', p.textDim, [p.page, p.panel, p.raised]],
    ['text on the accent', p.accentText, [p.accent]],
    ['map text', p.mapText, [p.mapHalo, ...p.tones, ...p.urbanTones, p.hover, p.chosen]],
    ['dim map text', p.mapTextDim, [p.mapHalo, ...p.tones, ...p.urbanTones]],
  ]
  it.each(pairs)('%s has 4.5:1', (_name, ink, papers) => {
    for (const paper of papers) expect(contrast(ink, paper)).toBeGreaterThanOrEqual(4.5)
  })

  const marks: [string, keyof Palette][] = [['focus ring', 'focusRing'], ['mark', 'mark'], ['outline', 'outline'], ['warning', 'warning']]
  it.each(marks)('%s has 3:1 against the page', (_name, key) => {
    expect(contrast(p[key] as string, p.page)).toBeGreaterThanOrEqual(3)
  })
})
