/** Which rows of a list of equal heights are to be drawn. */
export interface Slice {
  readonly from: number
  /** One after the last. */
  readonly to: number
}

/** The rows of `count` that are in sight, and `spare` more before and after. */
export function sliceOf(scrollTop: number, height: number, row: number, count: number, spare: number): Slice {
  const first = Math.floor(scrollTop / row)
  const last = Math.ceil((scrollTop + height) / row)
  return { from: Math.max(0, Math.min(first - spare, count)), to: Math.max(0, Math.min(last + spare, count)) }
}

/** Where to scroll so that row `i` is whole in sight: no further than needed. */
export function scrollTo(i: number, scrollTop: number, height: number, row: number): number {
  if (i * row < scrollTop) return i * row
  return Math.max(scrollTop, (i + 1) * row - height)
}
