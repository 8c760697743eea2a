import { get, send } from './client'
import type { Json } from './decode'
import type { Jurisdiction } from './session'
import { readJurisdiction, wireJurisdiction } from './session'

export interface Account {
  readonly login: string
  readonly name: string
  readonly role: string
  readonly jurisdiction: Jurisdiction
  readonly disabled: boolean
  /** Unix milliseconds. */
  readonly created: number | null
  readonly changed: number | null
  /** Who it is at the sign-in service ("issuer subject"), or empty. */
  readonly subject: string
}

export interface Accounts {
  readonly accounts: readonly Account[]
  /** That an account may have, as the server orders them. */
  readonly roles: readonly string[]
}

/** What of an account is to change; what is left out stays. */
export interface AccountChange {
  readonly name?: string
  readonly role?: string
  readonly jurisdiction?: Jurisdiction
  readonly disabled?: boolean
  readonly password?: string
  readonly subject?: string
}

export function fetchAccounts(signal?: AbortSignal): Promise<Accounts> {
  return get('/api/v1/accounts', {}, readAccounts, signal)
}

export function createAccount(login: string, change: AccountChange): Promise<void> {
  return send('POST', '/api/v1/accounts', { body: { login, ...wire(change) } }, () => undefined)
}

export function changeAccount(login: string, change: AccountChange): Promise<void> {
  return send('PATCH', `/api/v1/accounts/${encodeURIComponent(login)}`, { body: wire(change) }, () => undefined)
}

function wire({ jurisdiction, ...rest }: AccountChange): Record<string, unknown> {
  return jurisdiction ? { ...rest, jurisdiction: wireJurisdiction(jurisdiction) } : rest
}

export function readAccounts(json: Json): Accounts {
  return {
    accounts: json.at('accounts').itemsOrNone().map((account) => ({
      login: account.at('login').text(),
      name: account.at('name').textOr(''),
      role: account.at('role').text(),
      jurisdiction: readJurisdiction(account.at('jurisdiction')),
      disabled: account.at('disabled').flagOr(false),
      created: account.at('created').instantOrNull(),
      changed: account.at('changed').instantOrNull(),
      subject: account.at('subject').textOr(''),
    })),
    roles: json.at('roles').itemsOrNone().map((role) => role.text()),
  }
}
