/** Small repeating images that the map needs, drawn here so that no sprite is fetched. */

export interface Texture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

const SIDE = 14

/** Two dots in a square of 14 pixels, staggered: the texture of urban grids. */
export function stipple(rgba: string): Texture {
  const [r, g, b, a] = channels(rgba)
  const data = new Uint8Array(SIDE * SIDE * 4)
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const d = Math.min(Math.hypot(x - 3, y - 3), Math.hypot(x - 10, y - 10))
      const cover = Math.min(1, Math.max(0, 2.1 - d))
      // Premultiplied, as the map's images are.
      const alpha = a * cover
      data.set([r * alpha, g * alpha, b * alpha, 255 * alpha], (y * SIDE + x) * 4)
    }
  }
  return { width: SIDE, height: SIDE, data }
}

/** Nothing to see, `side` pixels wide: it keeps labels away from what lies beneath. */
export function clear(side: number): Texture {
  return { width: side, height: side, data: new Uint8Array(side * side * 4) }
}

/** A diamond `side` pixels wide with an edge around it; one that is not full has a heart of the edge's colour. */
export function diamond(side: number, colour: string, edge: string, full: boolean): Texture {
  const ink = channels(colour)
  const rim = channels(edge)
  const data = new Uint8Array(side * side * 4)
  const [middle, reach] = [(side - 1) / 2, side / 2 - 1]
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const d = Math.abs(x - middle) + Math.abs(y - middle)
      const cover = Math.min(1, Math.max(0, reach - d))
      if (cover === 0) continue
      const inked = d < reach - 3 && (full || d > reach / 2 - 2.5)
      const [r, g, b] = inked ? ink : rim
      data.set([r * cover, g * cover, b * cover, 255 * cover], (y * side + x) * 4)
    }
  }
  return { width: side, height: side, data }
}

/** `rgba(r, g, b, a)` or `#rrggbb` as numbers. */
function channels(rgba: string): [number, number, number, number] {
  if (rgba.startsWith('#')) return [1, 3, 5].map((i) => parseInt(rgba.slice(i, i + 2), 16)).concat(1) as [number, number, number, number]
  const [r, g, b, a] = (rgba.match(/[\d.]+/g) ?? []).map(Number)
  return [r ?? 0, g ?? 0, b ?? 0, a ?? 1]
}
