/**
 * Reads a position as people paste it: decimal degrees, degrees and minutes,
 * or degrees, minutes and seconds; longitude or latitude first; with Chinese
 * or English marks, full-width digits, GeoJSON, WKT or query-string dress.
 */
import type { LonLat } from './coord'

/**
 * The position in `text` as longitude, latitude in degrees, in whatever datum
 * its source used. `null` when the text is not a pair of coordinates at all;
 * `'out-of-range'` when it is one that lies nowhere on earth.
 *
 * Which number is which follows their marks (E, 东经, lon=) when there are any.
 * Without marks it follows their range: a number beyond ±90 is a longitude,
 * and of two that could be either, the order that falls in China wins;
 * otherwise longitude comes first.
 */
export function parseCoordinates(text: string): LonLat | 'out-of-range' | null {
  const plain = normalise(text)
  const pair = readPair(plain) ?? readSpacedPair(plain)
  if (pair === null) return null
  return pair === 'out-of-range' ? pair : assign(pair[0], pair[1])
}

type Axis = 'lon' | 'lat'

interface Angle {
  readonly degrees: number
  readonly axis: Axis | null
}

/** One spelling for every mark: ° ' " and the letters N S E W, LAT, LON. */
function normalise(text: string): string {
  return text
    .replace(/纬度/g, ' LAT ')
    .replace(/经度/g, ' LON ')
    .replace(/[º˚度]/g, '°')
    .replace(/[′’‘´`分]/g, "'")
    .replace(/[″”“秒]|''/g, '"')
    .normalize('NFKC')
    .replace(/[、;]/g, ',')
    .replace(/[−–]/g, '-')
    .toUpperCase()
    .replace(/北纬/g, ' N ')
    .replace(/南纬/g, ' S ')
    .replace(/东经/g, ' E ')
    .replace(/西经/g, ' W ')
    .replace(/LATITUDE/g, 'LAT')
    .replace(/LONGITUDE|LNG/g, 'LON')
    .replace(/(?<![\d'])"/g, ' ')
    .replace(/"(?=\s*:)/g, ' ')
    .replace(/^\s*POINT\b/, '')
    .replace(/[()[\]{}:=&?]/g, ' ')
    .replace(/'\s*'/g, '"')
    .trim()
}

const NUMBER = String.raw`([+-]?\d{1,3}(?:\.\d+)?)`
const REST = String.raw`(?:\s*°(?:\s*(\d{1,2}(?:\.\d+)?)\s*'(?:\s*(\d{1,2}(?:\.\d+)?)(?![\d.]|\s*°)\s*"?)?)?)?`
const ANGLE = new RegExp(String.raw`[\s,]*(?:(LAT|LON|[NSEW])\s*${NUMBER}${REST}|${NUMBER}${REST}(?:\s*([NSEW]))?)`, 'y')

/** Two angles and nothing else, or null. */
function readPair(text: string): [Angle, Angle] | 'out-of-range' | null {
  // Two bare whole numbers are more likely a search than a position.
  if (!/[.,°NSEW]|LON|LAT/.test(text)) return null
  const angles: Angle[] = []
  ANGLE.lastIndex = 0
  while (angles.length < 3) {
    const start = ANGLE.lastIndex
    const m = ANGLE.exec(text)
    if (m === null) {
      if (/[^\s,]/.test(text.slice(start))) return null
      break
    }
    const next = text[ANGLE.lastIndex]
    if (next !== undefined && !/[\s,NSEWL]/.test(next)) return null
    const angle = toAngle(m[2] ?? m[5] ?? '', m[3] ?? m[6], m[4] ?? m[7], m[1] ?? m[8])
    if (angle === null) return 'out-of-range'
    angles.push(angle)
  }
  const [first, second] = angles
  return first && second && angles.length === 2 ? [first, second] : null
}

/** `121 14 49.2, 31 22 58.8`: two groups of two or three numbers. */
function readSpacedPair(text: string): [Angle, Angle] | 'out-of-range' | null {
  const groups = text.split(',').map((group) => group.trim().split(/\s+/))
  if (groups.length !== 2) return null
  const angles: Angle[] = []
  for (const group of groups) {
    const axis = group.map((word) => /^[NSEW]$/.test(word)).indexOf(true)
    const mark = axis >= 0 ? group.splice(axis, 1)[0] : undefined
    if (group.length < 2 || group.length > 3) return null
    if (!/^[+-]?\d{1,3}$/.test(group[0] ?? '') || !group.slice(1).every((word) => /^\d{1,2}(\.\d+)?$/.test(word))) return null
    const angle = toAngle(group[0] ?? '', group[1], group[2], mark)
    if (angle === null) return 'out-of-range'
    angles.push(angle)
  }
  const [first, second] = angles
  return first && second ? [first, second] : null
}

/** Null when minutes or seconds reach 60, or when a sign contradicts a mark. */
function toAngle(deg: string, min: string | undefined, sec: string | undefined, mark: string | undefined): Angle | null {
  const minutes = Number(min ?? 0)
  const seconds = Number(sec ?? 0)
  if (minutes >= 60 || seconds >= 60) return null
  const signed = /^[+-]/.test(deg)
  if (signed && mark !== undefined && mark.length === 1) return null
  const size = Math.abs(Number(deg)) + minutes / 60 + seconds / 3600
  const negative = deg.startsWith('-') || mark === 'S' || mark === 'W'
  const axis = mark === undefined ? null : mark === 'LAT' || mark === 'N' || mark === 'S' ? 'lat' : 'lon'
  return { degrees: negative ? -size : size, axis }
}

function assign(a: Angle, b: Angle): LonLat | 'out-of-range' {
  if (a.axis !== null && a.axis === b.axis) return 'out-of-range'
  const latFirst = a.axis === 'lat' || b.axis === 'lon' || (a.axis === null && b.axis === null && latComesFirst(a.degrees, b.degrees))
  const [lon, lat] = latFirst ? [b.degrees, a.degrees] : [a.degrees, b.degrees]
  return Math.abs(lon) <= 180 && Math.abs(lat) <= 90 ? [lon, lat] : 'out-of-range'
}

function latComesFirst(a: number, b: number): boolean {
  if (Math.abs(a) > 90) return false
  if (Math.abs(b) > 90) return true
  return inChina(b, a) && !inChina(a, b)
}

function inChina(lon: number, lat: number): boolean {
  return lon >= 73 && lon <= 136 && lat >= 3 && lat <= 54
}
