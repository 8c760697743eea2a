import type { Coord } from '../geometry/coord'
import { boundsOf } from '../geometry/coord'

const SIDE = 1024
/** Room for the halo round the outline, as a share of the picture. */
const ROOM = 0.12

/** A picture of the halo and the corners of where it lies, as MapLibre orders them. */
export interface Glow {
  readonly canvas: HTMLCanvasElement
  readonly corners: [[number, number], [number, number], [number, number], [number, number]]
}

/**
 * The soft light round `outline`, painted once: a blurred line along the
 * outline costs half of every frame, and shows its joints.
 */
export function paintGlow(outline: readonly (readonly Coord[])[], colour: string): Glow {
  const [west, south, east, north] = boundsOf(outline)
  const [top, bottom] = [mercator(north), mercator(south)]
  const [width, height] = [((east - west) / 1e7) * (Math.PI / 180), top - bottom]
  const scale = (SIDE * (1 - 2 * ROOM)) / Math.max(width, height)
  const margin = SIDE * ROOM
  const canvas = document.createElement('canvas')
  canvas.width = Math.ceil(width * scale + 2 * margin)
  canvas.height = Math.ceil(height * scale + 2 * margin)
  const ctx = canvas.getContext('2d')
  if (ctx) {
    const shape = new Path2D()
    for (const ring of outline) {
      ring.forEach((c, i) => {
        const x = margin + ((c.x - west) / 1e7) * (Math.PI / 180) * scale - 2 * SIDE
        const y = margin + (top - mercator(c.y)) * scale
        if (i === 0) shape.moveTo(x, y)
        else shape.lineTo(x, y)
      })
      shape.closePath()
    }
    // The shape stands beside the picture and only its shadow falls on it.
    ctx.shadowOffsetX = 2 * SIDE
    ctx.shadowColor = colour
    for (const [blur, alpha] of [[SIDE / 14, 0.5], [SIDE / 56, 0.5]] as const) {
      ctx.shadowBlur = blur
      ctx.globalAlpha = alpha
      ctx.fill(shape)
    }
  }
  const [l, r] = [west / 1e7 - degreesOf(margin / scale), west / 1e7 + degreesOf((canvas.width - margin) / scale)]
  const [t, b] = [latitude(top + margin / scale), latitude(top - (canvas.height - margin) / scale)]
  return { canvas, corners: [[l, t], [r, t], [r, b], [l, b]] }
}

const degreesOf = (radians: number): number => (radians * 180) / Math.PI

/** The northing of the Mercator projection on a unit sphere, from Coord units of latitude. */
function mercator(y: number): number {
  return Math.log(Math.tan(Math.PI / 4 + (y / 1e7) * (Math.PI / 360)))
}

function latitude(northing: number): number {
  return degreesOf(2 * Math.atan(Math.exp(northing)) - Math.PI / 2)
}
