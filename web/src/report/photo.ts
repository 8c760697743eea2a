/** Photos, made small enough for a telephone's network; and the place that the camera wrote into them. */
import type { LonLat } from '../geometry/coord'

const LONGEST = 1600
const QUALITY = 0.82

/** Where a JPEG says that it was taken, from its EXIF, or null. */
export function placeOf(bytes: ArrayBuffer): LonLat | null {
  const view = new DataView(bytes)
  try {
    if (view.getUint16(0) !== 0xffd8) return null
    for (let at = 2; at + 4 < view.byteLength; ) {
      const marker = view.getUint16(at)
      if (marker === 0xffe1 && view.getUint32(at + 4) === 0x45786966) return gps(view, at + 10)
      if ((marker & 0xff00) !== 0xff00 || marker === 0xffda) return null
      at += 2 + view.getUint16(at + 2)
    }
  } catch (err) {
    if (!(err instanceof RangeError)) throw err // it ends early, or lies about its lengths
  }
  return null
}

function gps(view: DataView, tiff: number): LonLat | null {
  const little = view.getUint16(tiff) === 0x4949
  const u16 = (at: number): number => view.getUint16(tiff + at, little)
  const u32 = (at: number): number => view.getUint32(tiff + at, little)
  const entry = (ifd: number, tag: number): number | null => {
    for (let i = 0; i < u16(ifd); i++) if (u16(ifd + 2 + 12 * i) === tag) return ifd + 2 + 12 * i
    return null
  }
  const pointer = entry(u32(4), 0x8825)
  if (pointer === null) return null
  const ifd = u32(pointer + 8)
  const angle = (ref: number, tag: number, negative: string): number | null => {
    const where = entry(ifd, tag)
    const sign = entry(ifd, ref)
    if (where === null || sign === null) return null
    const values = [0, 1, 2].map((i) => u32(u32(where + 8) + 8 * i) / u32(u32(where + 8) + 8 * i + 4))
    const degrees = (values[0] ?? NaN) + (values[1] ?? NaN) / 60 + (values[2] ?? NaN) / 3600
    return String.fromCharCode(view.getUint8(tiff + sign + 8)) === negative ? -degrees : degrees
  }
  const lat = angle(1, 2, 'S')
  const lon = angle(3, 4, 'W')
  if (lat === null || lon === null || !(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180) || (lat === 0 && lon === 0)) return null
  return [lon, lat]
}

/** The photo as a JPEG no longer than 1600 pixels, without what the camera wrote. Rejects what is no picture. */
export async function smaller(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file)
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(picture.width * scale))
  canvas.height = Math.max(1, Math.round(picture.height * scale))
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  return new Promise((done, failed) => canvas.toBlob((b) => (b ? done(b) : failed(new Error('no picture'))), 'image/jpeg', QUALITY))
}
