/**
 * What the address after `#` keeps, so that a link shows another person the
 * same map: `#map=12.50/31.38300/121.24700&at=121.2470000,31.3830000`. What is
 * chosen is a point (`at`, WGS-84), or a grid, street or unit by its code.
 */
import type { LonLat } from '../geometry/coord'
import type { Datum } from '../geometry/datum'

export type Choice =
  | { readonly kind: 'point'; readonly at: LonLat; readonly datum: Datum }
  | { readonly kind: 'grid'; readonly code: string }
  | { readonly kind: 'street'; readonly code: string }
  | { readonly kind: 'unit'; readonly code: string }

export interface Place {
  readonly view: { readonly center: LonLat; readonly zoom: number } | null
  readonly choice: Choice | null
}

export function writeAddress({ view, choice }: Place): string {
  const parts: string[] = []
  if (view) parts.push(`map=${view.zoom.toFixed(2)}/${view.center[1].toFixed(5)}/${view.center[0].toFixed(5)}`)
  if (choice?.kind === 'point') parts.push(`at=${choice.at[0].toFixed(7)},${choice.at[1].toFixed(7)}`)
  else if (choice) parts.push(`${choice.kind}=${encodeURIComponent(choice.code)}`)
  return parts.length ? `#${parts.join('&')}` : ''
}

/** Reads what it can: a damaged part counts as absent. */
export function readAddress(hash: string): Place {
  const parts = new URLSearchParams(hash.replace(/^#/, ''))
  return { view: readView(parts.get('map')), choice: readChoice(parts) }
}

function readView(text: string | null): Place['view'] {
  const [zoom, lat, lon, ...rest] = numbers(text, '/')
  if (zoom === undefined || lat === undefined || lon === undefined || rest.length > 0) return null
  if (zoom < 0 || zoom > 24 || Math.abs(lat) > 85 || Math.abs(lon) > 180) return null
  return { zoom, center: [lon, lat] }
}

function readChoice(parts: URLSearchParams): Choice | null {
  const [lon, lat, ...rest] = numbers(parts.get('at'), ',')
  if (lon !== undefined && lat !== undefined && rest.length === 0 && Math.abs(lon) <= 180 && Math.abs(lat) <= 90) {
    return { kind: 'point', at: [lon, lat], datum: 'wgs84' }
  }
  for (const kind of ['grid', 'street', 'unit'] as const) {
    const code = parts.get(kind)
    if (code) return { kind, code }
  }
  return null
}

/** The numbers between separators; none at all unless every one is. */
function numbers(text: string | null, separator: string): number[] {
  const words = text?.split(separator) ?? []
  return words.every((word) => /^-?\d+(\.\d+)?$/.test(word)) ? words.map(Number) : []
}
