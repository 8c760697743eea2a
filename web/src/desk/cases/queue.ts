/**
 * The rows of a queue, a few dozen bytes each: columns of numbers, in the order
 * in which they are shown. A change is entered where its row stands, so that
 * nothing jumps under the cursor; what is new waits, and what has left stays as
 * a trace, until the queue is settled.
 */
import type { CaseIndex, IndexRow } from '../../api/caseindex'
import { EMERGENCY, HOTLINE, KEY_ITEM, ROW } from '../../api/caseindex'
import type { CaseChange } from '../../api/caselive'
import type { CaseLine, Overlay, State } from '../../api/cases'
import { OVERLAYS, STATES } from '../../api/cases'
import type { LonLat } from '../../geometry/coord'

/** One case, as much of it as the queue knows. Instants in Unix milliseconds. */
export interface Row {
  readonly id: number
  readonly seq: number
  /** Null where nobody could say. */
  readonly at: LonLat | null
  /** Null while no clock runs. */
  readonly due: number | null
  readonly state: State
  /** Bits, as of OVERLAYS. */
  readonly overlays: number
  /** Codes, empty for none. */
  readonly item: string
  readonly street: string
  readonly department: string
  readonly received: number
  readonly flags: number
  /** It has left the queue since the queue was last settled. */
  readonly gone: boolean
}

const NEVER = Infinity
const GROWTH = 256

/** The words that a column of numbers stands for. */
class Words {
  readonly list: string[] = []
  private readonly numbers = new Map<string, number>()

  /** The number of `word`; empty is none, -1. */
  number(word: string): number {
    if (word === '') return -1
    let n = this.numbers.get(word)
    if (n === undefined) {
      n = this.list.length
      this.list.push(word)
      this.numbers.set(word, n)
    }
    return n
  }

  word(number: number): string {
    return this.list[number] ?? ''
  }
}

export class Queue {
  private n = 0
  private ids = new Float64Array(0)
  private seqs = new Int32Array(0)
  private lons = new Float32Array(0)
  private lats = new Float32Array(0)
  private dues = new Float64Array(0)
  private states = new Uint8Array(0)
  private overlays = new Uint16Array(0)
  private items = new Int16Array(0)
  private streets = new Int16Array(0)
  private departments = new Int16Array(0)
  private receiveds = new Float64Array(0)
  private flags = new Uint8Array(0)
  private gone = new Uint8Array(0)
  private readonly words = { items: new Words(), streets: new Words(), departments: new Words() }
  private places = new Map<number, number>()
  private readonly waiting = new Map<number, Row>()

  /** `newestFirst` is the order of what is over; what is open comes by what is due next. */
  constructor(private readonly newestFirst = false) {}

  static of(index: CaseIndex, newestFirst: boolean): Queue {
    const queue = new Queue(newestFirst)
    queue.reserve(index.rows.length)
    for (const row of index.rows) queue.append(decode(row, index.states, index.items, index.streets, index.departments))
    return queue
  }

  /** A queue of these rows, put in order. */
  static ofRows(rows: Iterable<Row>, newestFirst: boolean): Queue {
    const queue = new Queue(newestFirst)
    for (const row of rows) queue.put(row)
    queue.settle()
    return queue
  }

  /** Enters a later index of the same queue, as changes: rows stay where they are. */
  follow(index: CaseIndex): void {
    const there = new Set<number>()
    for (const one of index.rows) {
      const row = decode(one, index.states, index.items, index.streets, index.departments)
      there.add(row.id)
      this.put(row)
    }
    for (let i = 0; i < this.n; i++) if (!there.has(this.ids[i]!)) this.gone[i] = 1
    for (const id of this.waiting.keys()) if (!there.has(id)) this.waiting.delete(id)
  }

  get length(): number {
    return this.n
  }

  /** How many new cases wait to be shown. */
  get fresh(): number {
    return this.waiting.size
  }

  id(i: number): number {
    return this.ids[i] ?? 0
  }

  /** Where `id` stands, or -1. */
  indexOf(id: number): number {
    return this.places.get(id) ?? -1
  }

  has(id: number): boolean {
    return this.places.has(id) || this.waiting.has(id)
  }

  seqOf(id: number): number {
    const i = this.indexOf(id)
    return i < 0 ? (this.waiting.get(id)?.seq ?? 0) : (this.seqs[i] ?? 0)
  }

  row(i: number): Row {
    const due = this.dues[i] ?? NEVER
    const lon = this.lons[i] ?? NaN
    return {
      id: this.id(i),
      seq: this.seqs[i] ?? 0,
      at: Number.isNaN(lon) ? null : [lon, this.lats[i] ?? NaN],
      due: due === NEVER ? null : due,
      state: STATES[this.states[i] ?? 0] ?? 'reported',
      overlays: this.overlays[i] ?? 0,
      item: this.words.items.word(this.items[i] ?? -1),
      street: this.words.streets.word(this.streets[i] ?? -1),
      department: this.words.departments.word(this.departments[i] ?? -1),
      received: this.receiveds[i] ?? 0,
      flags: this.flags[i] ?? 0,
      gone: this.gone[i] === 1,
    }
  }

  /** Calls `each` for every row that has a place, without making one of each. */
  everyPlace(each: (i: number, id: number, lon: number, lat: number, due: number) => void): void {
    for (let i = 0; i < this.n; i++) {
      const lon = this.lons[i]!
      if (!Number.isNaN(lon) && this.gone[i] === 0) each(i, this.ids[i]!, lon, this.lats[i]!, this.dues[i]!)
    }
  }

  /** Enters a row: where it stands, or among those that wait. An older one than is known changes nothing. */
  put(row: Row): void {
    const i = this.indexOf(row.id)
    if (i < 0) {
      if ((this.waiting.get(row.id)?.seq ?? 0) <= row.seq) this.waiting.set(row.id, row)
    } else if ((this.seqs[i] ?? 0) <= row.seq) {
      this.write(i, row)
    }
  }

  /** `id` is no longer one of this queue: it stays as a trace where it stands. */
  leave(id: number): void {
    this.waiting.delete(id)
    const i = this.indexOf(id)
    if (i >= 0) this.gone[i] = 1
  }

  /** Takes out the row of `id`, and those after it move up. */
  drop(id: number): void {
    const i = this.indexOf(id)
    if (i < 0) return
    for (const column of this.columns()) column.copyWithin(i, i + 1, this.n)
    this.n--
    this.places.delete(id)
    for (let k = i; k < this.n; k++) this.places.set(this.ids[k]!, k)
  }

  /** Takes in what waits, drops what has left, and puts all in order again. */
  settle(): void {
    const rows: Row[] = []
    for (let i = 0; i < this.n; i++) if (this.gone[i] === 0) rows.push(this.row(i))
    rows.push(...this.waiting.values())
    rows.sort((a, b) => this.compare(a, b))
    this.waiting.clear()
    this.places = new Map()
    this.n = 0
    for (const row of rows) this.append(row)
  }

  /** Whether settling would change anything but the order. */
  get unsettled(): boolean {
    return this.waiting.size > 0 || this.gone.subarray(0, this.n).includes(1)
  }

  private compare(a: Row, b: Row): number {
    if (this.newestFirst) return b.id - a.id
    const [x, y] = [a.due ?? NEVER, b.due ?? NEVER]
    return x === y ? a.id - b.id : x - y
  }

  private append(row: Row): void {
    if (this.n === this.ids.length) this.reserve(this.n + GROWTH + (this.n >> 1))
    this.n++
    this.write(this.n - 1, row)
  }

  private write(i: number, row: Row): void {
    this.places.set(row.id, i)
    this.ids[i] = row.id
    this.seqs[i] = row.seq
    this.lons[i] = row.at ? row.at[0] : NaN
    this.lats[i] = row.at ? row.at[1] : NaN
    this.dues[i] = row.due ?? NEVER
    this.states[i] = STATES.indexOf(row.state)
    this.overlays[i] = row.overlays
    this.items[i] = this.words.items.number(row.item)
    this.streets[i] = this.words.streets.number(row.street)
    this.departments[i] = this.words.departments.number(row.department)
    this.receiveds[i] = row.received
    this.flags[i] = row.flags
    this.gone[i] = row.gone ? 1 : 0
  }

  private columns(): { copyWithin(to: number, from: number, end: number): unknown }[] {
    return [
      this.ids, this.seqs, this.lons, this.lats, this.dues, this.states, this.overlays, this.items, this.streets, this.departments, this.receiveds, this.flags, this.gone,
    ]
  }

  private reserve(size: number): void {
    const grown = <T extends { set(from: T): void; length: number }>(from: T, to: T): T => {
      to.set(from)
      return to
    }
    this.ids = grown(this.ids, new Float64Array(size))
    this.seqs = grown(this.seqs, new Int32Array(size))
    this.lons = grown(this.lons, new Float32Array(size))
    this.lats = grown(this.lats, new Float32Array(size))
    this.dues = grown(this.dues, new Float64Array(size))
    this.states = grown(this.states, new Uint8Array(size))
    this.overlays = grown(this.overlays, new Uint16Array(size))
    this.items = grown(this.items, new Int16Array(size))
    this.streets = grown(this.streets, new Int16Array(size))
    this.departments = grown(this.departments, new Int16Array(size))
    this.receiveds = grown(this.receiveds, new Float64Array(size))
    this.flags = grown(this.flags, new Uint8Array(size))
    this.gone = grown(this.gone, new Uint8Array(size))
  }
}

/** A row of the index as a Row; the lists say what its numbers stand for. */
export function decode(row: IndexRow, states: readonly string[], items: readonly string[], streets: readonly string[], departments: readonly string[]): Row {
  const n = (column: number): number => row[column] ?? -1
  const state = STATES.find((s) => s === states[n(ROW.state)]) ?? 'reported'
  const [lon, lat] = [row[ROW.lon] ?? null, row[ROW.lat] ?? null]
  const due = row[ROW.due] ?? null
  return {
    id: n(ROW.id),
    seq: n(ROW.seq),
    at: lon === null || lat === null || (lon === 0 && lat === 0) ? null : [lon / 1e5, lat / 1e5],
    due: due === null ? null : due * 1000,
    state,
    overlays: Math.max(n(ROW.overlays), 0),
    item: items[n(ROW.item)] ?? '',
    street: streets[n(ROW.street)] ?? '',
    department: departments[n(ROW.department)] ?? '',
    received: n(ROW.received) * 1000,
    flags: Math.max(n(ROW.flags), 0),
    gone: false,
  }
}

/** A case that changed, as a Row. Flags of `row` tell more than the line alone. */
export function rowOf(line: CaseLine, row?: CaseChange['row']): Row {
  return {
    id: line.id,
    seq: line.seq,
    at: line.place?.at ?? null,
    due: row ? (row.due === null ? null : row.due * 1000) : (line.next?.at ?? null),
    state: line.state,
    overlays: bitsOf(line.overlays),
    item: line.item,
    street: line.place?.street ?? '',
    department: line.lead?.code ?? '',
    received: line.received,
    flags: row?.flags ?? (line.key ? KEY_ITEM : 0) | (line.channel === 'emergency' ? EMERGENCY : 0) | (line.order ? HOTLINE : 0),
    gone: false,
  }
}

export function bitsOf(overlays: readonly Overlay[]): number {
  return overlays.reduce((bits, o) => bits | (1 << OVERLAYS.indexOf(o)), 0)
}

/** The overlays whose bits are set. */
export function overlaysOf(bits: number): Overlay[] {
  return OVERLAYS.filter((_, i) => bits & (1 << i))
}
