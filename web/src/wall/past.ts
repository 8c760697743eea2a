/** The fleet at a past moment, and on from there as fast as the moment plays. */
import type { Ref, ShallowRef } from 'vue'
import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { ApiFault } from '../api/fault'
import type { Fleet } from '../api/frames'
import { NOBODY, follow } from '../api/frames'
import { openReplay } from '../api/live'
import type { Moment } from './moment'

export interface Past {
  readonly fleet: ShallowRef<Fleet>
  readonly fault: ShallowRef<ApiFault | null>
  /** Whether a moment was asked for and its picture is still to come. */
  readonly opening: Ref<boolean>
}

const DAY_MS = 86_400_000
const STILL_MS = 60_000
/** While somebody drags a slider, nobody is asked. */
const SETTLE_MS = 250

/**
 * Follows `moment`. `played` is told how far a playing picture has come, which
 * does not open it anew; `ended` that it has caught up with the present.
 */
export function usePast(moment: Ref<Moment>, played: (at: number) => void, ended: () => void): Past {
  const fleet = shallowRef<Fleet>(NOBODY)
  const fault = shallowRef<ApiFault | null>(null)
  const opening = ref(false)
  let close = (): void => undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let shown = 0

  function open(at: number, speed: number): void {
    close()
    const now = Date.now()
    const to = speed === 0 ? at + STILL_MS : at + DAY_MS
    close = openReplay(at, Math.min(to, now - 1000), Math.max(1, speed), {
      frame(frame) {
        fleet.value = follow(fleet.value, frame)
        fault.value = null
        opening.value = false
        if (speed === 0) close()
        else played((shown = frame.at))
      },
      cut: () => undefined,
      ended(why) {
        fault.value = why
        opening.value = false
      },
      over: () => speed > 0 && ended(),
    })
  }

  watch(
    moment,
    (to, from) => {
      if (to.kind === 'live') {
        stop()
        fleet.value = NOBODY
        return
      }
      // Its own progress.
      if (from?.kind === 'past' && from.speed === to.speed && to.speed > 0 && to.at === shown) return
      clearTimeout(timer)
      opening.value = true
      timer = setTimeout(() => open(to.at, to.speed), from === undefined ? 0 : SETTLE_MS)
    },
    { immediate: true },
  )

  function stop(): void {
    clearTimeout(timer)
    close()
    close = () => undefined
    opening.value = false
    fault.value = null
  }
  onScopeDispose(stop)
  return { fleet, fault, opening }
}
