/** What a chart draws of some lines: for each its share of the longest bar. */
import type { Figure, Line } from '../../api/figures'

export interface Bar {
  readonly line: Line
  readonly figure: Figure
  /** 0 to 1; of the year before null where there is none. */
  readonly now: number
  readonly before: number | null
}

const NOTHING: Figure = { numerator: 0, denominator: 0, before: null }

/** Rates are drawn from `floor` to 1, so that the last per cents can be told apart; counts from nothing to the greatest. */
export function barsOf(lines: readonly Line[], indicator: string, count: boolean): { bars: readonly Bar[]; floor: number } {
  const amount = (f: { numerator: number; denominator: number }): number => (count ? f.numerator : f.denominator === 0 ? 0 : f.numerator / f.denominator)
  const all = lines.map((line) => ({ line, figure: line.figures.get(indicator) ?? NOTHING }))
  const amounts = all.flatMap(({ figure }) => [figure, ...(figure.before ? [figure.before] : [])]).filter((f) => count || f.denominator > 0).map(amount)
  const top = count ? Math.max(1, ...amounts) : 1
  const least = count || amounts.length === 0 ? 0 : Math.min(...amounts)
  const floor = count ? 0 : least >= 0.95 ? 0.9 : least >= 0.85 ? 0.7 : least >= 0.55 ? 0.5 : 0
  const share = (n: number): number => Math.max(0, (n - floor) / (top - floor))
  return {
    floor,
    bars: all.map(({ line, figure }) => ({
      line,
      figure,
      now: share(amount(figure)),
      before: figure.before && (count || figure.before.denominator > 0) ? share(amount(figure.before)) : null,
    })),
  }
}
