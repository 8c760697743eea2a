/** Where in administration one is, as the address after # tells. */

export const SECTIONS = ['generations', 'accounts', 'devices', 'links', 'audit', 'me'] as const
export type Section = (typeof SECTIONS)[number]

export interface Place {
  readonly section: Section
  /** The two generations that are compared, under `generations`. */
  readonly pair: readonly [base: number, next: number] | null
}

/** What a caller must be allowed to see a section; one's own account is everybody's. */
export const ACTION_OF: Readonly<Record<Section, string | null>> = {
  generations: 'generations.read',
  accounts: 'accounts.manage',
  devices: 'devices.manage',
  links: 'links.manage',
  audit: 'audit.read',
  me: null,
}

/** The place that `hash` names; null for one that there is not. */
export function readPlace(hash: string): Place | null {
  const [name, ...rest] = hash.replace(/^#\/?/, '').split('/').filter(Boolean)
  const section = SECTIONS.find((s) => s === name)
  if (!section) return null
  if (rest.length === 0) return { section, pair: null }
  const [base, next] = rest.map(numberOf)
  if (section !== 'generations' || rest.length !== 2 || !base || !next) return null
  return { section, pair: [base, next] }
}

export function writePlace({ section, pair }: Place): string {
  return pair ? `#/${section}/${pair[0]}/${pair[1]}` : `#/${section}`
}

/** The sections open to a caller who may do `actions`, in their order. */
export function openTo(actions: readonly string[]): Section[] {
  return SECTIONS.filter((section) => {
    const action = ACTION_OF[section]
    return action === null || actions.includes(action)
  })
}

function numberOf(text: string): number {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0
}
