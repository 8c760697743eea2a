/** Figures as people read them. Units follow a narrow space, so that both can be styled apart. */
import type { LonLat } from '../geometry/coord'

export interface Figure {
  readonly value: string
  readonly unit: string
}

/** 0.4 m, 123 m, 1.23 km: three figures, and never finer than a decimetre. */
export function length(metres: number): Figure {
  if (metres < 99.95) return { value: metres.toFixed(1), unit: 'm' }
  if (metres < 999.5) return { value: metres.toFixed(0), unit: 'm' }
  const km = metres / 1000
  return { value: km < 9.995 ? km.toFixed(2) : km < 99.95 ? km.toFixed(1) : km.toFixed(0), unit: 'km' }
}

/** 0.482 km², 12.3 km². */
export function area(m2: number): Figure {
  const km2 = m2 / 1e6
  return { value: km2 < 1 ? km2.toFixed(3) : km2 < 10 ? km2.toFixed(2) : km2.toFixed(1), unit: 'km²' }
}

export function plain(figure: Figure): string {
  return `${figure.value} ${figure.unit}`
}

/** Longitude, latitude to six decimals (0.1 m). */
export function position(p: LonLat): string {
  return `${p[0].toFixed(6)}, ${p[1].toFixed(6)}`
}
