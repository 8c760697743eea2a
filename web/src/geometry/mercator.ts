/** Web Mercator with the world as the unit square, x east and y south, as MapLibre has it. */
import type { LonLat } from './coord'

export interface Plane {
  readonly x: number
  readonly y: number
}

export function toPlane([lon, lat]: LonLat): Plane {
  return { x: (lon + 180) / 360, y: (180 - (180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360))) / 360 }
}

export function fromPlane({ x, y }: Plane): LonLat {
  return [x * 360 - 180, (360 / Math.PI) * Math.atan(Math.exp((180 - y * 360) * (Math.PI / 180))) - 90]
}
