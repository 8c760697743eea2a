/** What keys mean on the desk, and which letter an action has. */

/** What moves about; letters that are not here are for actions. */
export const KEYS = {
  j: 'next', ArrowDown: 'next', k: 'previous', ArrowUp: 'previous', PageDown: 'page-down', PageUp: 'page-up', Home: 'first', End: 'last',
  Enter: 'open', x: 'select', ' ': 'select', '/': 'search', '?': 'help', Escape: 'back', n: 'new', m: 'map', '.': 'fresh',
} as const
export type Command = (typeof KEYS)[keyof typeof KEYS] | 'all' | 'extend-next' | 'extend-previous'

export interface Press {
  readonly key: string
  readonly shift: boolean
  readonly ctrl: boolean
  readonly alt: boolean
}

/** What a press means away from any field; null for nothing of ours. */
export function commandOf({ key, shift, ctrl, alt }: Press): Command | null {
  if (alt) return null
  if (ctrl) return key === 'a' || key === 'A' ? 'all' : null
  if (shift && (key === 'ArrowDown' || key === 'J')) return 'extend-next'
  if (shift && (key === 'ArrowUp' || key === 'K')) return 'extend-previous'
  const known = KEYS as Readonly<Record<string, Command>>
  return Object.hasOwn(KEYS, key) ? known[key]! : null
}

/** Letters that an action would have, the best first. Actions that exclude each other share theirs. */
const WISHES: Readonly<Record<string, string>> = {
  accept: 'a', 'not-accept': 'eq', 'ask-verification': 'v', verify: 'v', 'verify-not-found': 'eq', 'self-handle': 'h',
  file: 'f', 'not-file': 'eq', dispatch: 'd', take: 't', 'ask-return': 'r', return: 'r', 'return-misdispatched': 'b', 'refuse-return': 'eq',
  'finish-stage': 'g', dispose: 'd', check: 'c', close: 'c', rework: 'r', 'send-back': 'r',
  'ask-extension': 'y', extend: 'y', 'extend-again': 'y', 'refuse-extension': 'eq', 'ask-suspension': 's', suspend: 's', 'refuse-suspension': 'qe',
  'review-suspension': 's', 'end-suspension': 'z', supervise: 'p', answer: 'p', 'ask-coordination': 'o', rule: 'u', reassign: 'i',
  escalate: 'l', watch: 'w', unwatch: 'w', 'joint-duty': 'gh', contribute: 'gh', reopen: 'ro', void: 'v', 'finish-order': 'ou', note: 't',
}
const REST = 'tbghilopqrsuvwyzacdef'

/** A letter for each of `actions`, no two the same; the same actions in the same order always have the same. */
export function lettersOf(actions: readonly string[]): Map<string, string> {
  const letters = new Map<string, string>()
  const taken = new Set<string>()
  const give = (action: string, wishes: string): void => {
    const letter = [...wishes].find((l) => !taken.has(l))
    if (!letter || letters.has(action)) return
    letters.set(action, letter)
    taken.add(letter)
  }
  // First all that get what they would have, so that no wish is taken by who has none.
  for (const action of actions) give(action, WISHES[action] ?? '')
  for (const action of actions) give(action, REST)
  return letters
}

/** What leads a case on, the usual before the other; then what asks for something; what is only written down comes last. */
const ORDER = [
  'accept', 'verify', 'file', 'dispatch', 'take', 'dispose', 'check', 'close', 'return', 'rule', 'contribute', 'answer', 'suspend', 'end-suspension', 'extend', 'extend-again',
  'finish-stage', 'ask-verification', 'verify-not-found', 'self-handle', 'rework', 'send-back', 'return-misdispatched', 'refuse-return', 'reassign', 'not-accept', 'not-file',
  'refuse-suspension', 'refuse-extension', 'review-suspension', 'ask-return', 'ask-extension', 'ask-suspension', 'supervise', 'ask-coordination', 'escalate', 'joint-duty',
  'watch', 'unwatch', 'finish-order', 'reopen', 'void', 'note',
]

/** `actions` in the order in which they are offered, which is the same for every case. */
export function inOrder<T extends { readonly action: string }>(actions: readonly T[]): T[] {
  const rank = ({ action }: T): number => (ORDER.indexOf(action) + ORDER.length + 1) % (ORDER.length + 1)
  return [...actions].sort((a, b) => rank(a) - rank(b))
}
