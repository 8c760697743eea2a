/** Counts of cells as a smooth surface: what a map of heat is painted from. */

/**
 * `cells` (rows of `width`), each spread over its surroundings as by a Gaussian
 * of about `radius` cells: three passes of a box, along rows and columns. What
 * leaves the raster is lost.
 */
export function spread(cells: ArrayLike<number>, width: number, height: number, radius: number): Float32Array {
  let from = Float32Array.from(cells)
  if (radius < 1) return from
  let to = new Float32Array(from.length)
  const swap = (): void => void ([from, to] = [to, from])
  for (let pass = 0; pass < 3; pass++) {
    for (let row = 0; row < height; row++) box(from, to, row * width, 1, width, radius)
    swap()
    for (let column = 0; column < width; column++) box(from, to, column, width, height, radius)
    swap()
  }
  return from
}

/** The mean of the 2 · radius + 1 values around each of `n`, `step` apart. */
function box(from: Float32Array, to: Float32Array, start: number, step: number, n: number, radius: number): void {
  const share = 1 / (2 * radius + 1)
  let sum = 0
  for (let i = 0; i < Math.min(radius, n); i++) sum += from[start + i * step]!
  for (let i = 0; i < n; i++) {
    if (i + radius < n) sum += from[start + (i + radius) * step]!
    to[start + i * step] = sum * share
    if (i - radius >= 0) sum -= from[start + (i - radius) * step]!
  }
}

/** Of the filled cells, the share that may be brighter than the brightest tone: one bad corner does not dim the rest. */
const OVER = 0.005
/** Of the brightest: what is less is nothing. */
const LEAST = 1 / 400

/**
 * Surfaces as bytes by one measure, the square root of the density, so that
 * both a quiet street and the centre can be told apart.
 */
export function bytesOf(surfaces: readonly Float32Array[]): Uint8Array[] {
  const top = topOf(surfaces)
  return surfaces.map((surface) => {
    const bytes = new Uint8Array(surface.length)
    if (top > 0) for (let i = 0; i < surface.length; i++) bytes[i] = Math.min(255, Math.round(255 * Math.sqrt(Math.max(0, surface[i]! / top - LEAST))))
    return bytes
  })
}

function topOf(surfaces: readonly Float32Array[]): number {
  let most = 0
  for (const surface of surfaces) for (const v of surface) if (v > most) most = v
  // A histogram is exact enough, and a sort of millions is not needed.
  const bins = new Uint32Array(1024)
  let filled = 0
  for (const surface of surfaces) {
    for (const v of surface) {
      if (v <= most * LEAST) continue
      filled++
      bins[Math.min(1023, Math.floor((v / most) * 1024))]!++
    }
  }
  let left = filled * OVER
  for (let bin = 1023; bin > 0; bin--) {
    left -= bins[bin]!
    if (left < 0) return ((bin + 1) / 1024) * most
  }
  return most
}
