/** Spans in the reader's words. */
import { words } from './settings'
import { span } from './time'

export function spanText(ms: number): string {
  const w = words.value.patrol
  const { unit, n, rest } = span(ms)
  return unit === 'hours' ? w.hours(n, rest) : w[unit](n)
}
