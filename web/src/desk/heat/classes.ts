/** Values of grids in classes, each a tone of the map. */

/** The lower ends of at most `n` classes of the values above 0, about as many grids in each; the least first. */
export function classesOf(values: Iterable<number>, n: number): number[] {
  const sorted = [...values].filter((v) => v > 0).sort((a, b) => a - b)
  const ends: number[] = []
  for (let i = 0; i < n; i++) {
    const at = sorted[Math.floor((i * sorted.length) / n)]
    if (at === undefined) break
    const end = i === 0 ? rounded(at, Math.floor) : rounded(at, Math.round)
    if (end > (ends.at(-1) ?? 0)) ends.push(end)
  }
  return ends
}

/** The class of a value; -1 for none. */
export function classOf(value: number | null, ends: readonly number[]): number {
  if (value === null || value <= 0) return -1
  let i = ends.length - 1
  while (i > 0 && value < ends[i]!) i--
  return ends.length === 0 ? -1 : i
}

/** To two digits, as people read it. */
function rounded(v: number, how: (n: number) => number): number {
  const unit = 10 ** (Math.floor(Math.log10(v)) - 1)
  return Number((how(v / unit) * unit).toPrecision(2))
}

/** A number of about three digits. */
export function short(v: number): string {
  if (v >= 100 || Number.isInteger(v)) return Math.round(v).toLocaleString('en')
  return v >= 10 ? v.toFixed(1) : v.toPrecision(2)
}
