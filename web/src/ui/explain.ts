import type { ApiFault } from '../api/fault'
import type { Strings } from './strings/zh'

/** A fault in the reader's language: what happened, and what the server said about it. */
export interface Explanation {
  readonly title: string
  readonly detail: string
}

export function explain(fault: ApiFault, words: Strings): Explanation {
  const w = words.fault
  if (fault.kind === 'unreachable') return { title: w.unreachable, detail: w.unreachableText }
  if (fault.kind === 'unreadable') return { title: w.unreadable, detail: fault.message }
  const { status = 0, detail = '', title = '', parameter = '' } = fault.problem ?? {}
  const said = detail || title
  const where = parameter && !said.split(/\W+/).includes(parameter) ? `${w.parameter(parameter)}: ` : ''
  return { title: titleOf(status, words), detail: where + said }
}

function titleOf(status: number, words: Strings): string {
  const w = words.fault
  if (status === 404) return w.missing
  if (status === 429) return w.busy
  if (status === 503) return w.notReady
  return status >= 500 ? w.server : w.invalid
}
