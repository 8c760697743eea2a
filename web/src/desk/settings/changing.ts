import type { Ref, ShallowRef } from 'vue'
import { ref, shallowRef } from 'vue'
import type { ApiFault } from '../../api/fault'
import { asFault } from '../../api/fault'
import { signedOutBy } from '../../ui/session'

/** One change of a setting at a time, and why it was refused. */
export interface Changing {
  readonly busy: Ref<boolean>
  readonly fault: ShallowRef<ApiFault | null>
  /** What the last change came to. */
  readonly said: Ref<string>
  /** Does `work` once, which says what was done; true when it was. */
  run(work: () => Promise<string>): Promise<boolean>
}

export function useChanging(): Changing {
  const busy = ref(false)
  const fault = shallowRef<ApiFault | null>(null)
  const said = ref('')
  return {
    busy,
    fault,
    said,
    async run(work) {
      if (busy.value) return false
      busy.value = true
      fault.value = null
      said.value = ''
      try {
        said.value = await work()
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
