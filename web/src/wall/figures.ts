/** Figures as the wall writes them. */

/** 1,283 */
export function grouped(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A rate in percent with one decimal, rounded half up; null when there is nothing to count. */
export function percent(numerator: number, denominator: number): string | null {
  if (denominator === 0) return null
  const tenths = Math.floor((numerator * 2000 + denominator) / (2 * denominator))
  return `${Math.floor(tenths / 10)}.${tenths % 10}`
}

/** A line through `values` over [0, width], the greatest of `top` at 0 and none at `height`. */
export function linePath(values: readonly number[], top: number, width: number, height: number): string {
  if (values.length === 0 || top <= 0) return ''
  const step = width / Math.max(1, values.length - 1)
  return values.map((v, i) => `${i === 0 ? 'M' : 'L'}${round(i * step)} ${round(height - (Math.min(v, top) / top) * height)}`).join('')
}

const round = (n: number): number => Math.round(n * 10) / 10

/** The least of 1, 2, 5 · 10ⁿ that is not below `n`: where an axis ends. */
export function ceiling(n: number): number {
  if (n <= 0) return 1
  const unit = 10 ** Math.floor(Math.log10(n))
  return [1, 2, 5, 10].map((m) => m * unit).find((m) => m >= n) ?? 10 * unit
}
