import { get, send, setCsrf } from './client'
import type { Json } from './decode'

export type Level = 'district' | 'street' | 'village' | 'department'

/** What a caller's role applies to; a district has no code. */
export interface Jurisdiction {
  readonly level: Level
  readonly code: string
}

/** Who is calling and what they may do. */
export interface Session {
  readonly signedIn: boolean
  readonly login: string
  readonly name: string
  readonly role: string
  readonly jurisdiction: Jurisdiction | null
  /** Names of what the caller may do, as "map.read". */
  readonly actions: readonly string[]
  /** Name of the sign-in service beside passwords; null for none. */
  readonly oidc: string | null
}

export function fetchSession(signal?: AbortSignal): Promise<Session> {
  return get('/api/v1/session', {}, readSession, signal)
}

export function signIn(login: string, password: string): Promise<Session> {
  return send('POST', '/api/v1/session', { body: { login, password } }, readSession)
}

export function signOut(): Promise<void> {
  return send('DELETE', '/api/v1/session', {}, () => setCsrf(''))
}

export function signOutEverywhere(): Promise<void> {
  return send('DELETE', '/api/v1/sessions', {}, () => setCsrf(''))
}

export function changePassword(old: string, next: string): Promise<void> {
  return send('PUT', '/api/v1/session/password', { body: { old, new: next } }, () => undefined)
}

/** Reads a session, and keeps its CSRF token for the requests to come. */
export function readSession(json: Json): Session {
  setCsrf(json.at('csrf').textOr(''))
  const oidc = json.at('oidc')
  const jurisdiction = json.at('jurisdiction')
  return {
    signedIn: json.at('signed_in').flagOr(false),
    login: json.at('login').textOr(''),
    name: json.at('name').textOr(''),
    role: json.at('role').textOr('public'),
    jurisdiction: jurisdiction.absent ? null : readJurisdiction(jurisdiction),
    actions: json.at('actions').itemsOrNone().map((action) => action.text()),
    oidc: oidc.absent ? null : oidc.at('name').text(),
  }
}

const LEVELS: readonly Level[] = ['district', 'street', 'village', 'department']

export function readJurisdiction(json: Json): Jurisdiction {
  const level = json.at('level').textOr('')
  const known = LEVELS.find((l) => l === (level || 'district'))
  if (!known) throw json.at('level').wrong(LEVELS.join(', '))
  return { level: known, code: json.at('code').textOr('') }
}

/** As the server takes it. */
export function wireJurisdiction(j: Jurisdiction): Record<string, string> {
  return j.code ? { level: j.level, code: j.code } : { level: j.level }
}
