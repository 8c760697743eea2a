/** The live picture for every part of a page: the fleet, and whether it is live. */
import type { Ref } from 'vue'
import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { ApiFault } from '../api/fault'
import type { Fleet } from '../api/frames'
import { NOBODY, follow } from '../api/frames'
import { openLive } from '../api/live'
import type { Link } from './link'
import { hear, linkOf, openedAt } from './link'
import { goToLogin, loadSession, may } from './session'

export interface Live {
  readonly fleet: Readonly<Ref<Fleet>>
  readonly link: Readonly<Ref<Link>>
  /** Why the stream cannot be read; null while there is no such reason. */
  readonly fault: Readonly<Ref<ApiFault | null>>
  /** This machine's clock, once a second, for spans that grow. */
  readonly now: Readonly<Ref<number>>
}

const REOPEN_MS = 5_000
/** The server lets no longer pass without a sign of life: a connection that is silent for longer is dead. */
const DEAD_MS = 40_000

/** Follows the live picture while it is `wanted` and the scope lasts, and comes back by itself. */
export function useLive(wanted: () => boolean): Live {
  const fleet = shallowRef<Fleet>(NOBODY)
  const fault = shallowRef<ApiFault | null>(null)
  const now = ref(Date.now())
  let hearing = openedAt(now.value)
  const link = ref<Link>(linkOf(hearing, now.value))
  let close = (): void => undefined
  let opened = 0
  let retry: ReturnType<typeof setTimeout> | undefined

  function open(): void {
    close()
    clearTimeout(retry)
    opened = Date.now()
    close = openLive({
      frame(frame) {
        hearing = hear(hearing, Date.now(), frame.at, frame.kind === 'snap')
        fleet.value = follow(fleet.value, frame)
        fault.value = null
        look()
      },
      cut: look,
      ended(why) {
        fault.value = why
        retry = setTimeout(() => void again(), REOPEN_MS)
        look()
      },
    })
  }

  /** A stream that was refused may be one of somebody who is no longer signed in. */
  async function again(): Promise<void> {
    try {
      await loadSession()
      if (!may('patrols.read')) return goToLogin()
    } catch {
      // No network, or no service: the stream itself will tell.
    }
    open()
  }

  function look(): void {
    now.value = Date.now()
    const is = linkOf(hearing, now.value)
    // Equal values tell nobody anything.
    if (is.state !== link.value.state || is.state === 'lost') link.value = is
  }

  let timer: ReturnType<typeof setInterval> | undefined
  function stop(): void {
    clearInterval(timer)
    clearTimeout(retry)
    close()
  }
  function start(): void {
    hearing = openedAt(Date.now())
    open()
    timer = setInterval(() => {
      look()
      if (now.value - Math.max(opened, hearing.heard ?? 0) > DEAD_MS) open()
    }, 1000)
  }
  watch(wanted, (on) => (on ? start() : stop()), { immediate: true })
  onScopeDispose(stop)
  return { fleet, link, fault, now }
}
