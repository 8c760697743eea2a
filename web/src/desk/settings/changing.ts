import type { Ref } from 'vue'
import { ref } from 'vue'
import type { Doing } from '../../ui/doing'
import { useDoing } from '../../ui/doing'

/** One change of a setting at a time, and why it was refused. */
export interface Changing extends Pick<Doing, 'busy' | 'fault'> {
  /** What the last change came to. */
  readonly said: Ref<string>
  /** Does `work` once, which says what was done; true when it was. */
  run(work: () => Promise<string>): Promise<boolean>
}

export function useChanging(): Changing {
  const doing = useDoing()
  const said = ref('')
  return {
    busy: doing.busy,
    fault: doing.fault,
    said,
    run: (work) =>
      doing.run(async () => {
        said.value = ''
        said.value = await work()
      }),
  }
}
