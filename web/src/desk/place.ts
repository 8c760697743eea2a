/** Where on the desk one is, as the address after # tells: `#/cases/71?state=filed`. */

export const SECTION_NAMES = ['cases', 'figures', 'heat', 'inspection', 'settings'] as const
export type SectionName = (typeof SECTION_NAMES)[number]

export interface Place {
  readonly section: SectionName
  /** What follows the section, part by part; what it means is the section's business. */
  readonly path: readonly string[]
  /** What follows the question mark, in the order in which it was written. */
  readonly query: Readonly<Record<string, string>>
}

/** The place that `hash` names; null for one that there is not. */
export function readPlace(hash: string): Place | null {
  const text = hash.replace(/^#\/?/, '')
  const mark = text.indexOf('?')
  const [name, ...rest] = (mark < 0 ? text : text.slice(0, mark)).split('/').filter(Boolean)
  const section = SECTION_NAMES.find((s) => s === name)
  if (!section) return null
  const path: string[] = []
  for (const part of rest) {
    try {
      path.push(decodeURIComponent(part))
    } catch {
      return null
    }
  }
  return { section, path, query: Object.fromEntries(new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1))) }
}

export function writePlace({ section, path = [], query = {} }: Partial<Place> & { section: SectionName }): string {
  const search = new URLSearchParams(query).toString()
  return `#/${[section, ...path.map(encodeURIComponent)].join('/')}${search ? `?${search}` : ''}`
}
