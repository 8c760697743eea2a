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
  /** The past that was asked for has been shown. */
  over?(): void
}

/**
 * Opens the live picture, once; the answer closes it. While the network is
 * down the browser comes back by itself, and the server goes on where it ended.
 */
export function openLive(to: Listener): () => void {
  return openFrames('/api/v1/live', to)
}

/**
 * Opens the picture of the past from `from` (Unix milliseconds) on, `speed`
 * times as fast as it was, for as long as there is a past, a day at most.
 */
export function openReplay(from: number, to: number, speed: number, listener: Listener): () => void {
  const query = new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), speed: String(speed) })
  return openFrames(`/api/v1/replay?${query}`, listener)
}

function openFrames(address: string, to: Listener): () => void {
  const source = new EventSource(address)
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
  source.addEventListener('end', () => {
    source.close()
    to.over?.()
  })
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) to.ended(null)
    else to.cut()
  })
  return () => source.close()
}
