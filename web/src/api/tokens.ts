import { get, send } from './client'
import type { Json } from './decode'
import type { Jurisdiction } from './session'
import { readJurisdiction, wireJurisdiction } from './session'

/** A patrol device's or a share link's right to call; the secret itself is told once, when issued. */
export interface Token {
  readonly id: string
  readonly name: string
  readonly jurisdiction: Jurisdiction
  readonly createdBy: string
  /** Unix milliseconds; null when never or unknown. */
  readonly created: number | null
  readonly expires: number | null
  readonly lastSeen: number | null
  readonly revoked: number | null
}

export interface Issued {
  readonly secret: string
  /** Of a share link: the path that opens it. */
  readonly url: string
}

export type TokenKind = 'devices' | 'links'

export function fetchLinks(signal?: AbortSignal): Promise<Token[]> {
  return get('/api/v1/links', {}, (json) => json.at('links').itemsOrNone().map(readToken), signal)
}

/** `expires` is in Unix milliseconds. */
export function issueLink(name: string, jurisdiction: Jurisdiction, expires: number): Promise<Issued> {
  const body = { name, jurisdiction: wireJurisdiction(jurisdiction), expires: new Date(expires).toISOString() }
  return send('POST', '/api/v1/links', { body }, (json) => ({ secret: json.at('secret').text(), url: json.at('url').textOr('') }))
}

export function revokeToken(kind: TokenKind, id: string): Promise<void> {
  return send('DELETE', `/api/v1/${kind}/${encodeURIComponent(id)}`, {}, () => undefined)
}

export function readToken(json: Json): Token {
  return {
    id: json.at('id').text(),
    name: json.at('name').text(),
    jurisdiction: readJurisdiction(json.at('jurisdiction')),
    createdBy: json.at('created_by').textOr(''),
    created: json.at('created').instantOrNull(),
    expires: json.at('expires').instantOrNull(),
    lastSeen: json.at('last_seen').instantOrNull(),
    revoked: json.at('revoked').instantOrNull(),
  }
}
