/** What one version of the catalogue has other than another. */
import type { Edition, FullItem } from '../../api/settings'

export const COLUMNS = ['name', 'major', 'kind', 'lead', 'support', 'response', 'disposal', 'clock', 'key', 'stages', 'level'] as const
export type Column = (typeof COLUMNS)[number]

export interface Difference {
  readonly code: string
  readonly name: string
  /** Null for a row that came or went. */
  readonly column: Column | null
  readonly before: string
  readonly after: string
}

/** The columns of an item as text. */
export function itemCells(item: FullItem): Partial<Record<Column, string>> {
  return {
    name: item.name, major: `${item.major.code} ${item.major.name}`, kind: item.kind, lead: item.lead, support: item.support.join(' '),
    response: `${item.responseMinutes} min`, disposal: `${item.disposalHours} h`, clock: item.clock, key: item.key ? '✓' : '–', stages: stagesText(item),
  }
}

export const stagesText = (item: FullItem): string => item.stages.map((s) => `${s.name} ${s.hours} h`).join(' → ')

/** Departments, then items, by code. */
export function differences(a: Edition, b: Edition): Difference[] {
  const departments = (e: Edition): Row[] => e.departments.map((d) => ({ code: d.code, name: d.name, cells: { name: d.name, level: d.level } }))
  const items = (e: Edition): Row[] => e.items.map((i) => ({ code: i.code, name: i.name, cells: itemCells(i) }))
  return [...rows(departments(a), departments(b)), ...rows(items(a), items(b))]
}

interface Row {
  readonly code: string
  readonly name: string
  readonly cells: Partial<Record<Column, string>>
}

function rows(a: readonly Row[], b: readonly Row[]): Difference[] {
  const before = new Map(a.map((row) => [row.code, row]))
  const after = new Map(b.map((row) => [row.code, row]))
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((code): Difference[] => {
    const [was, is] = [before.get(code), after.get(code)]
    if (!was || !is) return [{ code, name: (was ?? is)!.name, column: null, before: was?.name ?? '', after: is?.name ?? '' }]
    return COLUMNS.filter((c) => was.cells[c] !== is.cells[c]).map((column) => ({ code, name: is.name, column, before: was.cells[column] ?? '', after: is.cells[column] ?? '' }))
  })
}

/** The items that `query` finds by code, name, major or department; every word must be found. */
export function search(items: readonly FullItem[], query: string, department: (code: string) => string): readonly FullItem[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (wanted.length === 0) return items
  return items.filter((item) => {
    const text = [item.code, item.name, item.major.name, item.lead, department(item.lead)].join(' ').toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
}

/** Items by their majors, in the order of both. */
export function byMajor(items: readonly FullItem[]): { readonly code: string; readonly name: string; readonly items: FullItem[] }[] {
  const majors = new Map<string, { code: string; name: string; items: FullItem[] }>()
  for (const item of items) {
    const major = majors.get(item.major.code) ?? { ...item.major, items: [] }
    major.items.push(item)
    majors.set(item.major.code, major)
  }
  return [...majors.values()].sort((a, b) => (a.code < b.code ? -1 : 1))
}
