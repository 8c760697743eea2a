import { Json } from './decode'
import type { ApiFault } from './fault'
import { asFault } from './fault'
import type { Frame, Layout } from './frames'
import { readFrame, readLayout } from './frames'

/** Who hears a stream. */
export interface Listener {
  frame(frame: Frame): void
  /** The stream is cut; the browser comes back by itself. */
  cut(): void
  /** The server refused it, or sent what cannot be read: it is closed. */
  ended(fault: ApiFault | null): void
}

/**
 * Opens the live picture, once; the answer closes it. While the network is
 * down the browser comes back by itself, and the server goes on where it ended.
 */
export function openLive(to: Listener): () => void {
  const source = new EventSource('/api/v1/live')
  let layout: Layout | null = null
  const hear = (kind: Frame['kind']) => (event: MessageEvent<string>): void => {
    try {
      const json = new Json(JSON.parse(event.data))
      if (kind === 'snap') layout = readLayout(json)
      if (layout) to.frame(readFrame(kind, json, layout))
    } catch (err) {
      source.close()
      to.ended(asFault(err))
    }
  }
  source.addEventListener('snap', hear('snap'))
  source.addEventListener('tick', hear('tick'))
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) to.ended(null)
    else to.cut()
  })
  return () => source.close()
}
