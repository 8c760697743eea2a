import type { Ref, ShallowRef } from 'vue'
import { onScopeDispose, ref, shallowRef } from 'vue'
import type { ApiFault } from '../api/fault'
import { asFault } from '../api/fault'

const FIRST_WAIT_MS = 2_000
const LONGEST_WAIT_MS = 30_000

/** One question to the server at a time, and what became of it. */
export interface Asking<T> {
  /** The last answer; kept while a new question is under way. */
  readonly answer: ShallowRef<T | null>
  readonly fault: ShallowRef<ApiFault | null>
  readonly busy: Ref<boolean>
  /** Asks, dropping any question still under way. */
  ask(question: (signal: AbortSignal) => Promise<T>): void
  /** Asks the last question again, now. */
  retry(): void
  /** Forgets question, answer and fault. */
  clear(): void
}

/**
 * While the server is unreachable the question is asked again by itself, with
 * growing pauses and at once when the browser says that it is online; what
 * the server refused is not.
 */
export function useAsking<T>(): Asking<T> {
  const answer = shallowRef<T | null>(null)
  const fault = shallowRef<ApiFault | null>(null)
  const busy = ref(false)
  let last: ((signal: AbortSignal) => Promise<T>) | null = null
  let current = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let waitMs = FIRST_WAIT_MS

  async function run(): Promise<void> {
    if (!last) return
    current.abort()
    clearTimeout(timer)
    const mine = new AbortController()
    current = mine
    busy.value = true
    try {
      const got = await last(mine.signal)
      if (mine.signal.aborted) return
      answer.value = got
      fault.value = null
      waitMs = FIRST_WAIT_MS
    } catch (err) {
      if (mine.signal.aborted) return
      answer.value = null
      fault.value = asFault(err)
      if (fault.value.kind === 'unreachable') {
        timer = setTimeout(() => void run(), waitMs)
        waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
      }
    }
    busy.value = false
  }

  function retry(): void {
    waitMs = FIRST_WAIT_MS
    void run()
  }

  function clear(): void {
    current.abort()
    clearTimeout(timer)
    last = null
    answer.value = null
    fault.value = null
    busy.value = false
  }

  const online = (): void => {
    if (fault.value?.kind === 'unreachable') retry()
  }
  globalThis.addEventListener?.('online', online)
  onScopeDispose(() => {
    clear()
    globalThis.removeEventListener?.('online', online)
  })

  return {
    answer,
    fault,
    busy,
    ask(question) {
      last = question
      retry()
    },
    retry,
    clear,
  }
}
