/** The whole of a queue in few bytes: a row of numbers for every case. */
import { get } from './client'
import type { Json } from './decode'

/** What the numbers of rows stand for. Codes, but for the states. */
export interface CaseIndex {
  /** The server's clock, Unix milliseconds. */
  readonly asOf: number
  readonly states: readonly string[]
  /** Their names, by the bits of a row's overlays. */
  readonly overlays: readonly string[]
  readonly items: readonly string[]
  readonly streets: readonly string[]
  readonly departments: readonly string[]
  readonly rows: readonly IndexRow[]
}

/** Id, seq, longitude and latitude in 1e-5°, due in Unix seconds, state, overlays (bits), item, street, department, received in Unix seconds, flags. */
export type IndexRow = readonly (number | null)[]

export const ROW = { id: 0, seq: 1, lon: 2, lat: 3, due: 4, state: 5, overlays: 6, item: 7, street: 8, department: 9, received: 10, flags: 11 } as const
const COLUMNS = 12

export const KEY_ITEM = 1
export const EMERGENCY = 2
export const HOTLINE = 4

/** Every case that `query` asks for, by what is due next. */
export function fetchIndex(query: Record<string, string>, signal?: AbortSignal): Promise<CaseIndex> {
  return get('/api/v1/cases/index', query, readIndex, signal)
}

export function readIndex(json: Json): CaseIndex {
  const names = (of: Json): string[] => of.itemsOrNone().map((name) => name.text())
  return {
    asOf: json.at('as_of').instant(),
    states: names(json.at('states')),
    overlays: names(json.at('overlays')),
    items: names(json.at('items')),
    streets: names(json.at('streets')),
    departments: names(json.at('departments')),
    rows: readRows(json.at('rows')),
  }
}

function readRows(json: Json): IndexRow[] {
  return json.itemsOrNone().map((row) => {
    const list = row.value
    if (!Array.isArray(list) || list.length < COLUMNS || !list.every((n) => n === null || Number.isSafeInteger(n))) throw row.wrong(`${COLUMNS} whole numbers`)
    return list as IndexRow
  })
}
