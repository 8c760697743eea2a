import type { Texture } from './images'

const SIDE = 12

/** What became of a grid; every kind has a hatching, so that none is told by colour alone. */
export type Hatching = 'same' | 'redrawn' | 'split' | 'merged' | 'new' | 'gone'

/** Grids that are owed a visit, quieter than any change. */
export type Owed = 'owed'

const near = (n: number, period: number): boolean => ((n % period) + period) % period < 1.5

/** Whether the hatching covers a pixel. All repeat after 12 pixels. */
const COVERS: Readonly<Record<Hatching | Owed, (x: number, y: number) => boolean>> = {
  same: (x, y) => Math.hypot(x - 5.5, y - 5.5) < 1.7,
  redrawn: (x, y) => near(x + y, 6),
  split: (x) => near(x, 6),
  merged: (_x, y) => near(y, 6),
  new: (x, y) => near(x, 6) || near(y, 6),
  gone: (x, y) => near(x + y, 12) || near(x - y, 12),
  owed: (x, y) => near(x - y, 12),
}

/** A square of the hatching in `colour` (#rrggbb), clear between its strokes. */
export function hatch(kind: Hatching | Owed, colour: string): Texture {
  const rgb = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16))
  const data = new Uint8Array(SIDE * SIDE * 4)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      if (COVERS[kind](x, y)) data.set([...rgb, 255], (y * SIDE + x) * 4)
    }
  }
  return { width: SIDE, height: SIDE, data }
}
