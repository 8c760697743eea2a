import type { ChangeKind, GridChange } from '../api/generations'

export type Column = 'grid' | 'kind' | 'before' | 'after' | 'delta'

export interface Order {
  readonly column: Column
  readonly down: boolean
}

/** Kinds from the gravest to the least. */
export const KINDS: readonly ChangeKind[] = ['gone', 'new', 'split', 'merged', 'redrawn', 'same']

/** The largest change of area, up or down, first. */
export const BY_CHANGE: Order = { column: 'delta', down: true }

export function deltaOf(c: GridChange): number {
  return c.areaM2 - c.baseAreaM2
}

/** The changes of `kind` (all for null) in `order`; equals by code. */
export function sorted(changes: readonly GridChange[], order: Order, kind: ChangeKind | null): GridChange[] {
  const of: Record<Column, (c: GridChange) => number | string> = {
    grid: (c) => c.code,
    kind: (c) => KINDS.indexOf(c.kind),
    before: (c) => c.baseAreaM2,
    after: (c) => c.areaM2,
    delta: (c) => Math.abs(deltaOf(c)),
  }
  const key = of[order.column]
  const turn = order.down ? -1 : 1
  return changes
    .filter((c) => kind === null || c.kind === kind)
    .sort((a, b) => {
      const [x, y] = [key(a), key(b)]
      return (x < y ? -turn : x > y ? turn : 0) || (a.code < b.code ? -1 : a.code > b.code ? 1 : a.id - b.id)
    })
}

/** The order after a press on the head of `column`: figures begin with the greatest. */
export function pressed(order: Order, column: Column): Order {
  if (order.column === column) return { column, down: !order.down }
  return { column, down: column !== 'grid' && column !== 'kind' }
}
