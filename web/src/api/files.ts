/** Photos and files of cases. */
import type { LonLat } from '../geometry/coord'
import { send } from './client'

export interface SentFile {
  /** Random: who knows it may claim it for one case. */
  readonly name: string
  readonly type: string
  readonly size: number
  /** Where and when a photo was taken, if it says so. */
  readonly position: LonLat | null
  readonly taken: number | null
}

/** Sends a photo or a file; it is kept for a case that names it within a day. */
export function sendFile(file: File, anonymous = false): Promise<SentFile> {
  const form = new FormData()
  form.append('file', file, file.name)
  return send('POST', '/api/v1/files', { body: form, timeoutMs: 120_000, anonymous }, (json) => ({
    name: json.at('name').text(),
    type: json.at('type').textOr(''),
    size: json.at('size').numberOr(0),
    position: json.at('position').absent ? null : [json.at('position').at('lon').number(), json.at('position').at('lat').number()],
    taken: json.at('taken').instantOrNull(),
  }))
}

/** Where a case's file is; `thumb` is a small picture of a photo. */
export function fileAddress(id: number, name: string, thumb = false): string {
  return `/api/v1/cases/${id}/files/${encodeURIComponent(name)}${thumb ? '?size=thumb' : ''}`
}

/** Whether a file of that name is a photo, by its ending. */
export function isPhoto(name: string): boolean {
  return /\.(jpe?g|png|webp|gif|heic)$/i.test(name)
}
