/** Where in administration one is, as the address after # tells. */

export const SECTIONS = ['units', 'roster', 'devices', 'quarantine', 'generations', 'accounts', 'links', 'audit', 'me'] as const
export type Section = (typeof SECTIONS)[number]

export interface Place {
  readonly section: Section
  /** The two generations that are compared, under `generations`. */
  readonly pair: readonly [base: number, next: number] | null
  /** Code of the unit whose page it is, under `units`; empty for the list. */
  readonly unit: string
}

/** What a caller must be allowed to see a section, any one of these; one's own account is everybody's. */
export const ACTIONS_OF: Readonly<Record<Section, readonly string[] | null>> = {
  units: ['patrols.manage', 'tracks.read'],
  roster: ['patrols.manage'],
  devices: ['devices.manage'],
  quarantine: ['quarantine.read'],
  generations: ['generations.read'],
  accounts: ['accounts.manage'],
  links: ['links.manage'],
  audit: ['audit.read'],
  me: null,
}

/** The place that `hash` names; null for one that there is not. */
export function readPlace(hash: string): Place | null {
  const [name, ...rest] = hash.replace(/^#\/?/, '').split('/').filter(Boolean)
  const section = SECTIONS.find((s) => s === name)
  if (!section) return null
  if (rest.length === 0) return { section, pair: null, unit: '' }
  if (section === 'units' && rest.length === 1) {
    const unit = decoded(rest[0]!)
    return unit ? { section, pair: null, unit } : null
  }
  const [base, next] = rest.map(numberOf)
  if (section !== 'generations' || rest.length !== 2 || !base || !next) return null
  return { section, pair: [base, next], unit: '' }
}

export function writePlace({ section, pair = null, unit = '' }: Partial<Place> & { section: Section }): string {
  if (unit) return `#/${section}/${encodeURIComponent(unit)}`
  return pair ? `#/${section}/${pair[0]}/${pair[1]}` : `#/${section}`
}

/** The sections open to a caller who may do `actions`, in their order. */
export function openTo(actions: readonly string[]): Section[] {
  return SECTIONS.filter((section) => {
    const wanted = ACTIONS_OF[section]
    return wanted === null || wanted.some((action) => actions.includes(action))
  })
}

function numberOf(text: string): number {
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
