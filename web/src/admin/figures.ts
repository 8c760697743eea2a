import { area } from '../ui/format'

/** Whole square metres in groups of three up to a tenth of a square kilometre, km² above. */
export function areaText(m2: number): string {
  if (Math.abs(m2) < 1e5) return `${grouped(m2)} m²`
  const { value, unit } = area(m2)
  return `${value} ${unit}`
}

/** With its sign; nothing for less than half a square metre. */
export function deltaText(m2: number): string {
  if (Math.abs(m2) < 0.5) return '±0'
  return `${m2 > 0 ? '+' : '−'}${areaText(Math.abs(m2))}`
}

export function percent(share: number): string {
  const p = share * 100
  return `${p >= 99.95 || p < 0.05 ? Math.round(p) : p.toFixed(1)} %`
}

function grouped(n: number): string {
  return Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ',')
}
