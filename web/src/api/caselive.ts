/** The changes of cases as they are made, and who looks at which. */
import { ROW } from './caseindex'
import type { CaseLine } from './cases'
import { readLine } from './cases'
import { Json } from './decode'
import type { ApiFault } from './fault'
import { asFault } from './fault'

/** A case as it has become. */
export interface CaseChange {
  readonly line: CaseLine
  /** Longitude and latitude in 1e-5° and the rest, as in the index, but for words that stand for themselves. */
  readonly row: { readonly lon: number | null; readonly lat: number | null; readonly due: number | null; readonly overlays: number; readonly received: number; readonly flags: number; readonly department: string }
}

/** Who hears the stream. */
export interface CaseListener {
  /** It begins: what changed before is not told. */
  hello(asOf: number): void
  changed(change: CaseChange): void
  /** A case is no longer one of the caller's. */
  gone(id: number): void
  viewing(id: number, who: readonly string[]): void
  /** The stream is cut; the browser comes back by itself. */
  cut(): void
  /** The server refused it, or sent what cannot be read: it is closed. */
  ended(fault: ApiFault | null): void
}

/** Opens the stream, once; the answer closes it. */
export function openCaseLive(to: CaseListener): () => void {
  const source = new EventSource('/api/v1/cases/live')
  const on = (name: string, hear: (json: Json) => void): void =>
    source.addEventListener(name, (event: MessageEvent<string>) => {
      try {
        hear(new Json(JSON.parse(event.data)))
      } catch (err) {
        source.close()
        to.ended(asFault(err))
      }
    })
  on('hello', (json) => to.hello(json.at('as_of').instant()))
  on('case', (json) => to.changed(readChange(json)))
  on('gone', (json) => to.gone(json.at('id').integer()))
  on('viewing', (json) => to.viewing(json.at('id').integer(), json.at('who').itemsOrNone().map((name) => name.text())))
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) to.ended(null)
    else to.cut()
  })
  return () => source.close()
}

export function readChange(json: Json): CaseChange {
  const row = json.at('row').items()
  const column = (name: keyof typeof ROW): Json => row[ROW[name]] ?? new Json(undefined, `${json.path}.row.${name}`)
  const whole = (name: keyof typeof ROW): number | null => (column(name).absent ? null : column(name).integer())
  return {
    line: readLine(json.at('line')),
    row: {
      lon: whole('lon'), lat: whole('lat'), due: whole('due'), overlays: column('overlays').integer(), received: column('received').integer(),
      flags: column('flags').integer(), department: column('department').textOr(''),
    },
  }
}

