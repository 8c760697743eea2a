/** The open cases of a moment, ready for the map and the panels. */
import type { CaseIndex } from '../api/caseindex'
import { EMERGENCY, ROW } from '../api/caseindex'
import type { LonLat } from '../geometry/coord'
import type { CaseMark } from '../mapkit/case-marks'

export interface OpenCase {
  readonly id: number
  /** Null where its place is not known. */
  readonly at: LonLat | null
  readonly mark: CaseMark
  readonly urgent: boolean
  /** Codes; empty for none. */
  readonly item: string
  readonly street: string
  /** Unix milliseconds; null for what is not due. */
  readonly due: number | null
  readonly received: number
}

export interface CaseCounts {
  readonly open: number
  readonly near: number
  readonly late: number
}

/** How long before its limit a case is near it. */
const NEAR_MS = 2 * 3_600_000
/** The cases of an index, as pressing as they were at its moment. */
export function openCases(index: CaseIndex): OpenCase[] {
  const now = index.asOf
  const supervised = overlayBit(index, 'supervised')
  return index.rows.map((row) => {
    const [lon, lat, dueS] = [row[ROW.lon] ?? null, row[ROW.lat] ?? null, row[ROW.due] ?? null]
    const due = dueS === null ? null : dueS * 1000
    return {
      id: row[ROW.id] ?? 0,
      at: lon === null || lat === null ? null : [lon / 1e5, lat / 1e5],
      mark: due === null ? 'calm' : due < now ? 'late' : due < now + NEAR_MS ? 'near' : 'calm',
      urgent: (((row[ROW.flags] ?? 0) & EMERGENCY) | ((row[ROW.overlays] ?? 0) & supervised)) !== 0,
      item: nameAt(index.items, row[ROW.item]),
      street: nameAt(index.streets, row[ROW.street]),
      due,
      received: (row[ROW.received] ?? 0) * 1000,
    }
  })
}

function overlayBit({ overlays }: CaseIndex, name: string): number {
  const bit = overlays.indexOf(name)
  return bit < 0 ? 0 : 1 << bit
}

function nameAt(names: readonly string[], i: number | null | undefined): string {
  return i === null || i === undefined || i < 0 ? '' : (names[i] ?? '')
}

export function countCases(cases: readonly OpenCase[]): CaseCounts {
  let near = 0
  let late = 0
  for (const c of cases) {
    if (c.mark === 'near') near++
    if (c.mark === 'late') late++
  }
  return { open: cases.length, near, late }
}

/** Open and overdue by street, in the order of `streets`. */
export function byStreet(cases: readonly OpenCase[], streets: readonly string[]): { street: string; open: number; late: number }[] {
  const counts = new Map(streets.map((street) => [street, { street, open: 0, late: 0 }]))
  for (const c of cases) {
    const of = counts.get(c.street)
    if (!of) continue
    of.open++
    if (c.mark === 'late') of.late++
  }
  return [...counts.values()]
}

/** The urgent ones, the newest first. */
export function urgentOnes(cases: readonly OpenCase[], atMost: number): OpenCase[] {
  return cases.filter((c) => c.urgent).sort((a, b) => b.received - a.received).slice(0, atMost)
}
