import type { Ref } from 'vue'
import { onScopeDispose, ref } from 'vue'

/** The size of the root font against 16 px: 1 on a desk, 2 on a wall of 3840 pixels. Follows the window. */
export function useScale(): Readonly<Ref<number>> {
  const read = (): number => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1
  const scale = ref(read())
  const update = (): void => void (scale.value = read())
  window.addEventListener('resize', update)
  onScopeDispose(() => window.removeEventListener('resize', update))
  return scale
}
