/** Names of roles, jurisdictions and actions in the reader's language. */
import type { Jurisdiction } from '../api/session'
import { words } from '../ui/settings'

export const named = (list: object, key: string): string => (list as Record<string, string>)[key] ?? key

export const roleName = (role: string): string => named(words.value.roles, role)
export const actionName = (action: string): string => named(words.value.admin.audit.actions, action)
export const fieldName = (field: string): string => named(words.value.admin.audit.fields, field)
export const defectName = (kind: string): string => named(words.value.admin.generations.defectKinds, kind)
export const attributeName = (attribute: string): string => named(words.value.admin.diff.attribute, attribute)

export function jurisdictionName({ level, code }: Jurisdiction): string {
  const name = words.value.levels[level]
  return code ? `${name} ${code}` : name
}
