/** A year of the working calendar, as its table of days tells. */

export type DayKind = 'holiday' | 'working-weekend'

export interface CalendarDay {
  /** 2026-02-15 */
  readonly date: string
  readonly kind: DayKind
  readonly name: string
}

/** The days of the server's CSV: date, kind, name. */
export function readDays(csv: string): CalendarDay[] {
  return csv.split('\n').slice(1).map((line) => line.trim()).filter(Boolean).map((line) => {
    const [date = '', kind = '', ...rest] = line.split(',')
    const name = rest.join(',').replace(/^"(.*)"$/, '$1').replaceAll('""', '"')
    return { date, kind: kind === 'working-weekend' ? 'working-weekend' : 'holiday', name }
  })
}

/** The years that are known: those whose New Year's Day is there. */
export function knownYears(days: readonly CalendarDay[]): number[] {
  return days.filter((d) => d.date.endsWith('-01-01')).map((d) => Number(d.date.slice(0, 4))).sort((a, b) => a - b)
}

export interface Cell {
  readonly day: number
  readonly worked: boolean
  /** Why it is other than its weekday tells. */
  readonly set: CalendarDay | null
}

export interface Month {
  /** From 1. */
  readonly month: number
  /** How many cells of the first week, from Monday, belong to the month before. */
  readonly lead: number
  readonly cells: readonly Cell[]
}

/** The twelve months of a year. */
export function monthsOf(year: number, days: readonly CalendarDay[]): Month[] {
  const set = new Map(days.map((d) => [d.date, d]))
  return Array.from({ length: 12 }, (_, i) => {
    const first = new Date(Date.UTC(year, i, 1))
    const lead = (first.getUTCDay() + 6) % 7
    const length = new Date(Date.UTC(year, i + 1, 0)).getUTCDate()
    const cells = Array.from({ length }, (_, d) => {
      const date = new Date(Date.UTC(year, i, d + 1)).toISOString().slice(0, 10)
      const weekend = (lead + d) % 7 >= 5
      const found = set.get(date) ?? null
      return { day: d + 1, worked: found ? found.kind === 'working-weekend' : !weekend, set: found }
    })
    return { month: i + 1, lead, cells }
  })
}

export function workingDays(months: readonly Month[]): number {
  return months.reduce((n, m) => n + m.cells.filter((c) => c.worked).length, 0)
}
