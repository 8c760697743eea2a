import type { LonLat } from './coord'

/**
 * The coordinate system that numbers were reported in. It is a property of
 * their source, never guessed from the numbers. CGCS2000 is read as WGS-84.
 */
export type Datum = 'wgs84' | 'gcj02' | 'bd09'

export const DATUMS: readonly Datum[] = ['wgs84', 'gcj02', 'bd09']

/** `p`, reported in `from`, in WGS-84: within 1 cm all over China. */
export function toWgs84(p: LonLat, from: Datum): LonLat {
  if (from === 'gcj02') return gcjToWgs(p)
  if (from === 'bd09') return gcjToWgs(bdToGcj(p))
  return p
}

/** A WGS-84 position in another datum. */
export function fromWgs84(p: LonLat, to: Datum): LonLat {
  if (to === 'gcj02') return wgsToGcj(p)
  if (to === 'bd09') return gcjToBd(wgsToGcj(p))
  return p
}

// GCJ-02 stands on the Krasovsky ellipsoid.
const GCJ_A = 6378245
const GCJ_E2 = 0.006693421622965943

/** The rectangle where GCJ-02 applies; outside, map services leave points as they are. */
function inGcj(p: LonLat): boolean {
  return p[0] >= 72.004 && p[0] <= 137.8347 && p[1] >= 0.8293 && p[1] <= 55.8271
}

function wgsToGcj(p: LonLat): LonLat {
  if (!inGcj(p)) return p
  const [dx, dy] = gcjOffset(p)
  return [p[0] + dx, p[1] + dy]
}

function gcjToWgs(p: LonLat): LonLat {
  if (!inGcj(p)) return p
  let w = p
  for (let i = 0; i < 3; i++) {
    const [dx, dy] = gcjOffset(w)
    w = [p[0] - dx, p[1] - dy]
  }
  return w
}

/** The published approximation of GCJ-02 minus WGS-84, in degrees. */
function gcjOffset(p: LonLat): LonLat {
  const { PI, sin } = Math
  const x = p[0] - 105
  const y = p[1] - 35
  const root = Math.sqrt(Math.abs(x))
  const wave = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3
  const north =
    -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave +
    ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3 +
    ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3
  const east =
    300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave +
    ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3 +
    ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3
  const lat = (p[1] * PI) / 180
  const w2 = 1 - GCJ_E2 * sin(lat) ** 2
  const w = Math.sqrt(w2)
  return [
    (east * 180) / ((GCJ_A / w) * Math.cos(lat) * PI),
    (north * 180) / (((GCJ_A * (1 - GCJ_E2)) / (w2 * w)) * PI),
  ]
}

// Baidu's angle constant is not quite π.
const BD_PI = (Math.PI * 3000) / 180

function gcjToBd(p: LonLat): LonLat {
  const z = Math.hypot(p[0], p[1]) + 0.00002 * Math.sin(p[1] * BD_PI)
  const theta = Math.atan2(p[1], p[0]) + 0.000003 * Math.cos(p[0] * BD_PI)
  return [z * Math.cos(theta) + 0.0065, z * Math.sin(theta) + 0.006]
}

/** The closed form as first guess (0.1 m), then two rounds against the exact forward form. */
function bdToGcj(p: LonLat): LonLat {
  const x = p[0] - 0.0065
  const y = p[1] - 0.006
  const z = Math.hypot(x, y) - 0.00002 * Math.sin(y * BD_PI)
  const theta = Math.atan2(y, x) - 0.000003 * Math.cos(x * BD_PI)
  let g: LonLat = [z * Math.cos(theta), z * Math.sin(theta)]
  for (let i = 0; i < 2; i++) {
    const b = gcjToBd(g)
    g = [g[0] + p[0] - b[0], g[1] + p[1] - b[1]]
  }
  return g
}
