/** What an inspection is about, in words. */
import type { Scope } from '../../api/inspections'
import type { Strings } from '../../ui/strings/zh'
import { day } from '../../ui/time'
import type { Reference } from '../cases/reference'

export function scopeText(scope: Scope, reference: Reference, words: Strings): string {
  const t = words.inspection
  const parts: string[] = [
    scope.street ? reference.streetName(scope.street) : t.wholeDistrict,
    ...(scope.grid ? [reference.gridName(scope.grid)] : []),
    t.sourceShort[scope.source],
    // The window's end is the first instant that is not in it.
    ...(scope.from !== null && scope.to !== null ? [t.window(day(scope.from), day(scope.to - 1))] : []),
    ...scope.items.map((code) => reference.itemName(code)),
    ...(scope.department ? [reference.departmentName(scope.department)] : []),
    ...(scope.channel ? [word(words.desk.channels, scope.channel)] : []),
    ...(scope.state ? [word(words.desk.states, scope.state)] : []),
    ...scope.overlay.map((o) => word(words.desk.overlays, o)),
  ]
  return parts.join(' · ')
}

export function word(all: Readonly<Record<string, string>>, key: string): string {
  return all[key] ?? key
}
