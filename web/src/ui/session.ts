/** Who is signed in, for every part of a page. */
import { shallowRef } from 'vue'
import { refusedWith } from '../api/fault'
import type { Session } from '../api/session'
import { fetchSession, signOut } from '../api/session'
import { loginAddress } from './return'

/** Null until the server has said. */
export const session = shallowRef<Session | null>(null)

export async function loadSession(signal?: AbortSignal): Promise<Session> {
  session.value = await fetchSession(signal)
  return session.value
}

export function may(action: string): boolean {
  return session.value?.actions.includes(action) ?? false
}

/** Goes to sign in, and comes back here afterwards. */
export function goToLogin(): void {
  location.assign(loginAddress(location))
}

/** Goes to sign in when that is what `err` asks for; false when it is something else. */
export function signedOutBy(err: unknown): boolean {
  if (!refusedWith(err, 401)) return false
  goToLogin()
  return true
}

export async function leave(): Promise<void> {
  await signOut()
  location.reload()
}
