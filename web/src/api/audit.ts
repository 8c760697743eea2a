import { get } from './client'
import type { Json } from './decode'

/** One thing that somebody did, in its place in the chain. */
export interface Entry {
  readonly seq: number
  readonly hash: string
  /** Unix milliseconds. */
  readonly at: number
  readonly who: string
  readonly role: string
  readonly address: string
  /** As "account.create". */
  readonly action: string
  readonly subject: string
  /** JSON of what changed; undefined where it has no meaning. */
  readonly before: unknown
  readonly after: unknown
}

export interface Audit {
  /** The newest last. */
  readonly entries: readonly Entry[]
  /** How many rows were ever written. */
  readonly head: number
}

export interface AuditQuery {
  readonly who: string
  readonly action: string
  /** Only entries before this one; 0 for the latest. */
  readonly before: number
  readonly limit: number
}

/** What a walk through the whole chain found. */
export interface Verdict {
  readonly ok: boolean
  readonly detail: string
  readonly head: number
  readonly hash: string
}

export function fetchAudit(query: AuditQuery, signal?: AbortSignal): Promise<Audit> {
  const wire: Record<string, string> = { limit: String(query.limit) }
  if (query.before > 0) wire['before'] = String(query.before)
  if (query.who) wire['who'] = query.who
  if (query.action) wire['action'] = query.action
  return get('/api/v1/audit', wire, readAudit, signal)
}

export function verifyAudit(): Promise<Verdict> {
  return get('/api/v1/audit/verify', {}, (json) => ({
    ok: json.at('ok').flag(),
    detail: json.at('detail').textOr(''),
    head: json.at('head').absent ? 0 : json.at('head').at('seq').integer(),
    hash: json.at('head').absent ? '' : json.at('head').at('hash').textOr(''),
  }))
}

export function readAudit(json: Json): Audit {
  return {
    entries: json.at('entries').itemsOrNone().map((entry) => ({
      seq: entry.at('seq').integer(),
      hash: entry.at('hash').textOr(''),
      at: entry.at('at').instant(),
      who: entry.at('who').textOr(''),
      role: entry.at('role').textOr(''),
      address: entry.at('address').textOr(''),
      action: entry.at('action').text(),
      subject: entry.at('subject').textOr(''),
      before: entry.at('before').value,
      after: entry.at('after').value,
    })),
    head: json.at('head').at('seq').integer(),
  }
}
