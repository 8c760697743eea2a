import type { Ref, ShallowRef } from 'vue'
import { onBeforeUnmount, onMounted, shallowRef } from 'vue'
import type { Padding } from '../mapkit/district-map'

/**
 * The margins of the map that panels cover: the left column on a wide screen;
 * on a phone the box above and, while there is one, the card below.
 */
export function usePadding(side: Readonly<ShallowRef<HTMLElement | null>>, content: Readonly<ShallowRef<HTMLElement | null>>): Readonly<Ref<Padding>> {
  const padding = shallowRef<Padding>({ top: 0, right: 0, bottom: 0, left: 0 })
  const narrow = matchMedia('(max-width: 45rem)')

  function measure(): void {
    if (!side.value || !content.value) return
    const sheet = content.value.getBoundingClientRect()
    // The list of streets covers the map only while one looks for something else.
    const covered = sheet.height > 0 && Math.abs(sheet.bottom - innerHeight) < 24 ? sheet.height : 0
    const to = narrow.matches
      ? { top: 56, right: 0, bottom: covered || 48, left: 0 }
      : { top: 0, right: 0, bottom: 0, left: Math.round(side.value.getBoundingClientRect().right) }
    const old = padding.value
    if (to.top !== old.top || to.bottom !== old.bottom || to.left !== old.left) padding.value = to
  }

  const observer = new ResizeObserver(measure)
  onMounted(() => {
    measure()
    if (side.value) observer.observe(side.value)
    if (content.value) observer.observe(content.value)
    narrow.addEventListener('change', measure)
  })
  onBeforeUnmount(() => {
    observer.disconnect()
    narrow.removeEventListener('change', measure)
  })
  return padding
}
