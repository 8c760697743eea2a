/** What differs between two JSON values, field by field, for people to read. */
export interface FieldChange {
  /** Names of members on the way to the field, joined with dots. */
  readonly field: string
  /** Undefined when the field was not there. */
  readonly before: string | undefined
  readonly after: string | undefined
}

/** Members that change with every change and tell nothing. */
const DULL = new Set(['changed', 'last_seen', 'last_address'])

/**
 * The fields that differ. With one side absent, all fields of the other. Lists
 * are compared as a whole, in the words of `tell` where it has some.
 */
export function changesOf(before: unknown, after: unknown, tell: (list: readonly unknown[]) => string | null = () => null): FieldChange[] {
  const flat = (value: unknown, path = '', out = new Map<string, string>()): Map<string, string> => {
    if (value === undefined || value === null) return out
    if (Array.isArray(value)) out.set(path, tell(value) ?? JSON.stringify(value))
    else if (typeof value === 'object') for (const [key, member] of Object.entries(value)) flat(member, path ? `${path}.${key}` : key, out)
    else out.set(path, typeof value === 'string' ? value : JSON.stringify(value))
    return out
  }
  const [was, is] = [flat(before), flat(after)]
  const both = was.size > 0 && is.size > 0
  const fields = [...new Set([...was.keys(), ...is.keys()])]
  return fields
    .map((field) => ({ field, before: was.get(field), after: is.get(field) }))
    .filter((c) => c.before !== c.after && !(both && DULL.has(c.field)))
}
