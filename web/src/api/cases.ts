/** Cases: their queues, what is due, and what may be done. */
import { get } from './client'
import type { Json } from './decode'

export const STATES = ['reported', 'to-verify', 'accepted', 'not-accepted', 'filed', 'not-filed', 'dispatched', 'returned', 'in-disposal', 'to-check', 'closed', 'void'] as const
export type State = (typeof STATES)[number]

/** What is due next. */
export interface Due {
  readonly clock: string
  readonly stage: string
  /** Unix milliseconds. */
  readonly at: number
}

/** A case in a queue. */
export interface CaseLine {
  readonly id: number
  /** How many entries its history has: what an action refers to. */
  readonly seq: number
  readonly state: State
  readonly text: string
  readonly next: Due | null
}

/** A page of a queue, what is due first before the rest. */
export function fetchQueue(query: Record<string, string>, signal?: AbortSignal): Promise<CaseLine[]> {
  return get('/api/v1/cases', query, (json) => json.at('cases').items().map(readLine), signal)
}

function readLine(json: Json): CaseLine {
  return {
    id: json.at('id').integer(),
    seq: json.at('seq').integer(),
    state: readState(json.at('state')),
    text: json.at('text').textOr(''),
    next: json.at('next').absent ? null : readDue(json.at('next')),
  }
}

export function readState(json: Json): State {
  const state = STATES.find((s) => s === json.value)
  if (!state) throw json.wrong(STATES.join(', '))
  return state
}

function readDue(json: Json): Due {
  return { clock: json.at('clock').text(), stage: json.at('stage').textOr(''), at: json.at('at').instant() }
}
