import type { Token } from '../api/tokens'
import { words } from '../ui/settings'
import { minute } from '../ui/time'

export function stateOf(token: Token): 'live' | 'expired' | 'revoked' {
  if (token.revoked !== null) return 'revoked'
  return token.expires !== null && token.expires <= Date.now() ? 'expired' : 'live'
}

/** A token that was never used was last seen when it was made. */
export function lastUse({ lastSeen, created }: Token): string {
  return lastSeen === null || (created !== null && lastSeen <= created) ? words.value.admin.never : minute(lastSeen)
}
