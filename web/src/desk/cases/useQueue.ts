/** The queue that a filter asks for, kept as it is on the server: its rows, its counts, and who looks at what. */
import type { Ref, ShallowRef } from 'vue'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { CaseIndex } from '../../api/caseindex'
import { fetchIndex } from '../../api/caseindex'
import type { CaseChange } from '../../api/caselive'
import { openCaseLive } from '../../api/caselive'
import type { CaseLine, Counts, LinePage } from '../../api/cases'
import { fetchCounts, fetchLines, fetchPage } from '../../api/cases'
import type { Asking } from '../../ui/asking'
import { useAsking } from '../../ui/asking'
import { loadSession, may } from '../../ui/session'
import type { Filter } from './filter'
import { belongs, countedBy, sameFilter, showsClosed, writeFilter } from './filter'
import { Queue, rowOf } from './queue'

export type DeskLink = { readonly state: 'opening' | 'live' } | { readonly state: 'lost'; readonly since: number }

/** What is open comes as an index, whole; what is over page by page. */
export interface Loaded {
  readonly index: CaseIndex | null
  readonly page: LinePage | null
}

export interface DeskQueue {
  readonly queue: ShallowRef<Queue>
  /** Grows with every change of the queue. */
  readonly version: Ref<number>
  readonly index: Asking<Loaded>
  readonly counts: ShallowRef<Counts | null>
  readonly link: ShallowRef<DeskLink>
  /** The server's clock, once a second. */
  readonly now: Ref<number>
  /** Who else looks at a case. */
  readonly viewing: ShallowRef<ReadonlyMap<number, readonly string[]>>
  /** What is known of a case beside its row. */
  line(id: number): CaseLine | undefined
  /** Asks for the lines of those that are in view. */
  want(ids: readonly number[]): void
  /** Enters what became of a case, by an action or a look of our own. */
  know(line: CaseLine): void
  settle(): void
  reload(): void
}

const REOPEN_MS = 5_000
const COUNT_EVERY_MS = 3_000
const RECOUNT_MS = 30_000
const RELOAD_MS = 3_000
const POLL_MS = 20_000
const WANT_MS = 60
const LINES = 100
/** Of what is over. */
const PAGE = '200'
/** Rows before the last at which the next page is asked for. */
const AHEAD = 40
const KEPT_LINES = 3_000

export function useQueue(filter: () => Filter): DeskQueue {
  const queue = shallowRef(new Queue())
  const version = ref(0)
  const index = useAsking<Loaded>()
  const counts = shallowRef<Counts | null>(null)
  const link = shallowRef<DeskLink>({ state: 'opening' })
  const viewing = shallowRef<ReadonlyMap<number, readonly string[]>>(new Map())
  const lines = new Map<number, CaseLine>()
  let ahead = 0 // of the server's clock against ours
  const now = ref(Date.now())
  const changed = (): void => void version.value++

  /** What became known while an index was on its way, which it may not have. */
  let meanwhile: CaseLine[] = []
  /** What the rows that are shown were asked for; null before the first. */
  let shown: Filter | null = null
  function load(): void {
    const asked = filter()
    meanwhile = []
    index.ask(async (signal) => {
      if (!showsClosed(asked)) return { index: await fetchIndex(writeFilter(asked), signal), page: null }
      return { index: null, page: await fetchPage({ ...writeFilter(asked), limit: PAGE }, signal) }
    })
  }
  watch(index.answer, (got) => {
    if (!got) return
    if (got.index) enter(got.index)
    if (got.page) {
      for (const line of got.page.lines) lines.set(line.id, line)
      queue.value = Queue.ofRows(got.page.lines.map((line) => rowOf(line)), true)
      after = got.page.after
      shown = filter()
    }
    // What is known of rows that moved on meanwhile is no longer true.
    for (const [id, line] of lines) if (queue.value.seqOf(id) > line.seq) lines.delete(id)
    for (const line of meanwhile.splice(0)) know(line)
    changed()
  })

  function enter(got: CaseIndex): void {
    tell(got.asOf)
    after = ''
    if (shown && sameFilter(shown, filter())) {
      queue.value.follow(got)
    } else {
      queue.value = Queue.of(got, false)
      shown = filter()
    }
  }

  /** Where the next page of what is over begins; empty after the last. */
  let after = ''
  async function more(): Promise<void> {
    const [from, asked] = [after, filter()]
    after = ''
    try {
      const got = await fetchPage({ ...writeFilter(asked), limit: PAGE, after: from }, stopped.signal)
      if (!sameFilter(asked, filter())) return
      for (const line of got.lines) {
        lines.set(line.id, line)
        queue.value.put(rowOf(line))
      }
      queue.value.settle()
      after = got.after
      changed()
    } catch {
      after ||= from // asked again by the next look
    }
  }

  function tell(asOf: number): void {
    ahead = asOf - Date.now()
    now.value = Date.now() + ahead
  }

  // Counts follow changes, and the clock: what is late is late without anybody doing anything.
  let counting: ReturnType<typeof setTimeout> | undefined
  let counted = 0
  const stopped = new AbortController()
  async function count(): Promise<void> {
    clearTimeout(counting)
    counted = Date.now()
    const asked = countedBy(filter())
    try {
      const got = await fetchCounts(writeFilter(asked), stopped.signal)
      if (sameFilter(asked, countedBy(filter()))) counts.value = got
    } catch {
      // The list tells of a server that is away; old counts are better than none.
    }
    if (!stopped.signal.aborted) counting = setTimeout(() => void count(), RECOUNT_MS)
  }
  function recount(): void {
    clearTimeout(counting)
    counting = setTimeout(() => void count(), Math.max(0, counted + COUNT_EVERY_MS - Date.now()))
  }

  let reloading: ReturnType<typeof setTimeout> | undefined
  function reloadSoon(): void {
    reloading ??= setTimeout(() => {
      reloading = undefined
      load()
    }, RELOAD_MS)
  }

  function know(line: CaseLine, row?: CaseChange['row']): void {
    const known = lines.get(line.id)
    if (known && known.seq > line.seq) return
    if (index.busy.value) meanwhile.push(line)
    lines.set(line.id, line)
    const fits = belongs(filter(), line, now.value)
    if (fits === false) queue.value.leave(line.id)
    else if (fits === true || queue.value.has(line.id)) queue.value.put(rowOf(line, row))
    else reloadSoon() // only the server can tell whether it is one of these
    changed()
    recount()
  }

  // One request at a time for what is in view; what was scrolled past is not asked for.
  let wanted: readonly number[] = []
  let wanting: ReturnType<typeof setTimeout> | undefined
  let asking = false
  function want(ids: readonly number[]): void {
    wanted = ids
    if (after && ids.some((id) => queue.value.indexOf(id) > queue.value.length - AHEAD)) void more()
    if (asking) return
    clearTimeout(wanting)
    wanting = setTimeout(() => void fill(), WANT_MS)
  }
  async function fill(): Promise<void> {
    const ids = wanted.filter((id) => (lines.get(id)?.seq ?? -1) < queue.value.seqOf(id)).slice(0, LINES)
    if (ids.length === 0) return
    asking = true
    try {
      const got = await fetchLines(ids, stopped.signal)
      for (const line of got) lines.set(line.id, line)
      // Those that did not come are no longer ours.
      const came = new Set(got.map((line) => line.id))
      for (const id of ids) if (!came.has(id)) queue.value.leave(id)
      for (const id of lines.keys()) {
        if (lines.size <= KEPT_LINES) break
        if (!wanted.includes(id)) lines.delete(id)
      }
      changed()
    } catch {
      asking = false
      return // asked again by the next look
    }
    asking = false
    if (wanted.some((id) => !lines.has(id))) want(wanted)
  }

  let close = (): void => undefined
  let reopen: ReturnType<typeof setTimeout> | undefined
  let broken = false
  function open(): void {
    close()
    close = openCaseLive({
      hello(asOf) {
        tell(asOf)
        link.value = { state: 'live' }
        viewing.value = new Map()
        if (broken && !showsClosed(filter())) load() // what changed meanwhile was not told
        broken = false
        recount()
      },
      changed: ({ line, row }) => know(line, row),
      gone(id) {
        lines.delete(id)
        queue.value.leave(id)
        changed()
        recount()
      },
      viewing(id, who) {
        const next = new Map(viewing.value)
        if (who.length > 0) next.set(id, who)
        else next.delete(id)
        viewing.value = next
      },
      cut: lost,
      ended() {
        lost()
        reopen = setTimeout(() => void again(), REOPEN_MS)
      },
    })
  }
  function lost(): void {
    broken = true
    if (link.value.state !== 'lost') link.value = { state: 'lost', since: now.value }
  }
  /** A stream that was refused may be one of somebody who is no longer signed in. */
  async function again(): Promise<void> {
    try {
      await loadSession(stopped.signal)
      if (!may('cases.read')) return
    } catch {
      // No network, or no service: the stream itself will tell.
    }
    if (!stopped.signal.aborted) open()
  }

  const asked = computed(() => JSON.stringify(writeFilter(filter())))
  watch(asked, () => {
    load()
    counted = 0
    recount()
  }, { immediate: true })
  open()
  const ticking = setInterval(() => void (now.value = Date.now() + ahead), 1000)
  // While the stream is away the index is asked for now and then.
  const polling = setInterval(() => {
    if (link.value.state === 'lost' && !index.busy.value && !showsClosed(filter())) load()
  }, POLL_MS)
  onScopeDispose(() => {
    stopped.abort()
    for (const timer of [counting, reloading, wanting, reopen]) clearTimeout(timer)
    clearInterval(ticking)
    clearInterval(polling)
    close()
  })

  return {
    queue,
    version,
    index,
    counts,
    link,
    now,
    viewing,
    line: (id) => lines.get(id),
    want,
    know,
    settle() {
      queue.value.settle()
      changed()
    },
    reload: load,
  }
}
