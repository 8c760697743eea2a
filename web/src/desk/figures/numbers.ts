/** Figures as people read them. Integers decide every digit: 287241 of 287894 is 99.77 %. */
import type { Counted, Figure } from '../../api/figures'

/** 298,694 */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** The rate with two decimals, rounded half up, or the number itself; a dash where there is nothing to count. `count` says which it is. */
export function value(f: Counted, count: boolean): string {
  if (count) return grouped(f.numerator)
  return f.denominator === 0 ? '—' : `${hundredths(ratio(f.numerator, f.denominator))} %`
}

export interface Change {
  /** With its sign: −37.68 %, or of a rate in percentage points, +0.31. */
  readonly text: string
  readonly points: boolean
  readonly direction: 'up' | 'down' | 'same'
  /** In hundredths, for sorting. */
  readonly hundredths: number
}

/** How a figure changed since the year before; null where there is nothing to compare. */
export function change(f: Figure, count: boolean): Change | null {
  const b = f.before
  if (!b || (count ? b.numerator === 0 : f.denominator === 0 || b.denominator === 0)) return null
  const n = count ? ratio(f.numerator - b.numerator, b.numerator) : ratio(f.numerator * b.denominator - b.numerator * f.denominator, f.denominator * b.denominator)
  const sign = n > 0 ? '+' : n < 0 ? '−' : ''
  return { text: `${sign}${hundredths(Math.abs(n))}${count ? ' %' : ''}`, points: !count, direction: n > 0 ? 'up' : n < 0 ? 'down' : 'same', hundredths: n }
}

/** n ÷ d in hundredths of a per cent, rounded half away from zero. Exact for millions of cases. */
function ratio(n: number, d: number): number {
  if (n < 0) return -ratio(-n, d)
  const [big, scale, of] = [BigInt(n), 20_000n, BigInt(d)]
  return Number((big * scale + of) / (2n * of))
}

function hundredths(n: number): string {
  return `${grouped(Math.floor(n / 100))}.${String(n % 100).padStart(2, '0')}`
}
