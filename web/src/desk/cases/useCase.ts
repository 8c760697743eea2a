/** The case that is open: as it stands, kept as it becomes, and told to others that somebody looks at it. */
import type { ComputedRef, ShallowRef } from 'vue'
import { computed, onScopeDispose, shallowRef, watch } from 'vue'
import type { CaseLine, CasePage, Entry } from '../../api/cases'
import { fetchCase, stopViewing, tellViewing } from '../../api/cases'
import type { Asking } from '../../ui/asking'
import { useAsking } from '../../ui/asking'

export interface OpenCase {
  readonly asking: Asking<CasePage>
  readonly page: ShallowRef<CasePage | null>
  /** What others did while it was open, the last first; empty once it was taken note of. */
  readonly news: ShallowRef<readonly Entry[]>
  readonly reloading: ComputedRef<boolean>
  reload(): void
  /** What an action of our own made of it. */
  become(page: CasePage): void
}

/** Half of what the server waits for before it takes a viewer for gone. */
const VIEW_EVERY_MS = 20_000

/** Follows the case `id` (0 for none); `seen` is the last number of its history that the stream has told. */
export function useCase(id: () => number, seen: () => number, learned: (page: CasePage) => void): OpenCase {
  const asking = useAsking<CasePage>()
  const page = shallowRef<CasePage | null>(null)
  const news = shallowRef<readonly Entry[]>([])

  function reload(): void {
    const of = id()
    if (of) asking.ask((signal) => fetchCase(of, signal))
    else asking.clear()
  }
  watch(id, () => {
    page.value = null
    news.value = []
    reload()
  }, { immediate: true })
  watch(asking.answer, (got) => {
    if (!got || got.case.id !== id()) return
    const before = page.value
    if (before && got.case.seq > before.case.seq) news.value = [...got.history.filter((e) => e.seq > before.case.seq).reverse(), ...news.value]
    page.value = got
    learned(got)
  })
  // Somebody else was here: what is shown is old.
  watch(seen, (seq) => {
    if (page.value && page.value.case.id === id() && seq > page.value.case.seq && !asking.busy.value) reload()
  })

  let viewing = 0
  let timer: ReturnType<typeof setInterval> | undefined
  function look(at: number): void {
    clearInterval(timer)
    if (viewing && viewing !== at) void stopViewing(viewing).catch(() => undefined)
    viewing = at
    if (!at) return
    const tell = (): void => void tellViewing(at).catch(() => undefined) // nobody is the worse for not knowing
    tell()
    timer = setInterval(tell, VIEW_EVERY_MS)
  }
  watch(() => page.value?.case.id ?? 0, look)
  onScopeDispose(() => look(0))

  return {
    asking,
    page,
    news,
    reloading: computed(() => asking.busy.value && page.value !== null),
    reload,
    become(got) {
      news.value = []
      page.value = got
      learned(got)
    },
  }
}

/** A case as its line in the queue would be. */
export function lineOf({ case: c, next, allowed }: CasePage): CaseLine {
  return {
    id: c.id, seq: c.seq, state: c.state, overlays: c.overlays, channel: c.channel, item: c.item, key: c.key, text: c.text, received: c.received,
    place: c.place, lead: c.lead, order: c.order, next, allowed: allowed.map((a) => a.action),
  }
}
