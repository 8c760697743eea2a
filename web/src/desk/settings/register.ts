/** The register of standards, by code. */
import type { Standard } from '../../api/settings'

export interface Registered {
  readonly code: string
  /** Of the version in force, or of the next where none is. */
  readonly name: string
  /** The version in force at that time; null for one that is still to come, or is not registered. */
  readonly now: Standard | null
  /** Newest first. */
  readonly versions: readonly Standard[]
  /** The actions that cite it. */
  readonly cited: readonly string[]
}

/** Every standard that is registered or cited, by code. */
export function register(standards: readonly Standard[], cited: ReadonlyMap<string, readonly string[]>, at: number): Registered[] {
  const codes = [...new Set([...standards.map((s) => s.code), ...cited.keys()])].sort()
  return codes.map((code) => {
    const versions = standards.filter((s) => s.code === code).sort((a, b) => b.version - a.version)
    const now = versions.find((s) => s.from <= at) ?? null
    return { code, name: (now ?? versions.at(-1))?.name ?? '', now, versions, cited: cited.get(code) ?? [] }
  })
}
