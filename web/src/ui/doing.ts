import type { Ref, ShallowRef } from 'vue'
import { ref, shallowRef } from 'vue'
import type { ApiFault } from '../api/fault'
import { asFault } from '../api/fault'
import { signedOutBy } from './session'

/** One change sent to the server at a time, and why it was refused. */
export interface Doing {
  readonly busy: Ref<boolean>
  readonly fault: ShallowRef<ApiFault | null>
  /** Does `work` once; true when it was done. Without a session it leads to signing in. */
  run(work: () => Promise<void>): Promise<boolean>
}

export function useDoing(): Doing {
  const busy = ref(false)
  const fault = shallowRef<ApiFault | null>(null)
  return {
    busy,
    fault,
    async run(work) {
      if (busy.value) return false
      busy.value = true
      fault.value = null
      try {
        await work()
        return true
      } catch (err) {
        if (!signedOutBy(err)) fault.value = asFault(err)
        return false
      } finally {
        busy.value = false
      }
    },
  }
}
