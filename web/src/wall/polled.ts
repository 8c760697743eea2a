import type { Ref, ShallowRef } from 'vue'
import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { ApiFault } from '../api/fault'
import { asFault } from '../api/fault'
import { signedOutBy } from '../ui/session'

/** What a question that is asked again and again says. */
export interface Polled<T> {
  /** The last answer there was; kept when an asking fails. */
  readonly answer: ShallowRef<T | null>
  readonly fault: ShallowRef<ApiFault | null>
  /** When the answer came, by this machine's clock. */
  readonly came: Ref<number>
  ask(): void
}

/**
 * Asks `question` about what `of` says, at once when that changes and else
 * every `everyMs`. An answer about something else than what is wanted now is
 * not shown.
 */
export function usePolled<K, T>(of: () => K | null, question: (of: K, signal: AbortSignal) => Promise<T>, everyMs: (of: K) => number): Polled<T> {
  const answer = shallowRef<T | null>(null)
  const fault = shallowRef<ApiFault | null>(null)
  const came = ref(0)
  let current = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(): Promise<void> {
    current.abort()
    clearTimeout(timer)
    const subject = of()
    if (subject === null) return
    const mine = new AbortController()
    current = mine
    try {
      const got = await question(subject, mine.signal)
      if (mine.signal.aborted) return
      answer.value = got
      fault.value = null
      came.value = Date.now()
    } catch (err) {
      if (mine.signal.aborted) return
      fault.value = asFault(err)
      if (signedOutBy(fault.value)) return
    }
    timer = setTimeout(() => void ask(), everyMs(subject))
  }

  const stop = watch(
    () => JSON.stringify(of()),
    () => void ask(),
    { immediate: true },
  )
  onScopeDispose(() => {
    stop()
    current.abort()
    clearTimeout(timer)
  })
  return { answer, fault, came, ask: () => void ask() }
}
