import type { Grid } from '../api/grids'
import type { Street } from '../api/streets'

export type Hit =
  | { readonly kind: 'grid'; readonly code: string; readonly grid: Grid }
  | { readonly kind: 'street'; readonly code: string; readonly street: Street }

interface Entry {
  readonly hit: Hit
  readonly code: string
  readonly name: string
  /** What a grid may be found by besides its own code and name. */
  readonly beside: string
}

/** Finds grids and streets by any part of their name or code. */
export class Finder {
  private readonly entries: Entry[]

  constructor(streets: readonly Street[], grids: readonly Grid[]) {
    this.entries = [
      ...streets.map((street): Entry => ({ hit: { kind: 'street', code: street.code, street }, code: fold(street.code), name: fold(street.name), beside: '' })),
      ...grids.map((grid): Entry => ({ hit: { kind: 'grid', code: grid.code, grid }, code: fold(grid.code), name: fold(grid.name), beside: fold(grid.street.name) })),
    ]
  }

  /**
   * What `query` finds, the closest first; among equals streets before grids,
   * then by code. Words apart by spaces must all be found: `安亭 赵巷` is 赵巷
   * in 安亭镇. An empty query finds nothing.
   */
  find(query: string): Hit[] {
    const words = fold(query).split(/\s+/).filter((word) => word !== '')
    if (words.length === 0) return []
    const found: { hit: Hit; score: number }[] = []
    for (const entry of this.entries) {
      const score = Math.max(...words.map((word) => distance(entry, word)))
      if (score < Infinity) found.push({ hit: entry.hit, score })
    }
    const order = ({ hit }: { hit: Hit }): string => (hit.kind === 'street' ? '0' : '1') + hit.code
    found.sort((a, b) => a.score - b.score || (order(a) < order(b) ? -1 : 1))
    return found.map(({ hit }) => hit)
  }
}

/** 0 the whole code or name, 1 an end of one, 2 inside one, 3 only the street; Infinity nowhere. */
function distance({ code, name, beside }: Entry, word: string): number {
  if (code === word || name === word) return 0
  if (name.startsWith(word) || code.startsWith(word) || code.endsWith(word)) return 1
  if (name.includes(word) || code.includes(word)) return 2
  return beside.includes(word) ? 3 : Infinity
}

/** One spelling for full and half width, capitals and small letters. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}
