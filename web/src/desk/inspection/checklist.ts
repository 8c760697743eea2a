/** What an inspector fills in, and where to go next: all that is no drawing. */
import type { Check, Finding, InspectionItem, Line, Mark, Plan, RemedyAction, Result, Severity, Verdict } from '../../api/inspections'
import { REMEDIES } from '../../api/inspections'
import type { LonLat } from '../../geometry/coord'
import { distanceM } from '../../geometry/measure'

export interface Answer {
  verdict: Verdict | ''
  severity: Severity | ''
  text: string
}

export type Answers = Record<string, Answer>

export type Outcome = 'none' | 'pass' | 'finding'

export function outcomeOf(item: InspectionItem): Outcome {
  if (!item.result) return 'none'
  return item.result.passed ? 'pass' : 'finding'
}

export function checksOf(item: InspectionItem, checks: readonly Check[]): Check[] {
  return checks.filter((c) => c.subject === (item.case ? 'case' : 'place'))
}

/** Empty answers, or those of a result that is to be corrected. */
export function answersOf(checks: readonly Check[], result: Result | null): Answers {
  return Object.fromEntries(checks.map(({ code }) => {
    const mark = result?.marks.find((m) => m.check === code)
    return [code, { verdict: mark?.verdict ?? '', severity: mark?.severity ?? '', text: mark?.text ?? '' } satisfies Answer]
  }))
}

export function found(answers: Answers): boolean {
  return Object.values(answers).some((a) => a.verdict === 'bad')
}

export function marksOf(answers: Answers): Mark[] {
  return Object.entries(answers).flatMap(([check, { verdict, severity, text }]): Mark[] => {
    if (verdict === '') return []
    if (verdict !== 'bad') return [{ check, verdict }]
    return [{ check, verdict, ...(severity ? { severity } : {}), ...(text.trim() ? { text: text.trim() } : {}) }]
  })
}

/** What follows, as it is filled in. Dates are those of fields; `report` is of a new case. */
export interface Follow {
  action: RemedyAction | ''
  date: string
  item: string
  text: string
}

export type Lack = 'checks' | 'words' | 'date' | 'report' | 'place'

/** What is still to be filled in; null when it may be entered. */
export function lack(answers: Answers, follow: Follow, place: boolean): Lack | null {
  const all = Object.values(answers)
  if (all.some((a) => a.verdict === '') || all.every((a) => a.verdict === 'not-applicable')) return 'checks'
  if (all.some((a) => a.verdict === 'bad' && (!a.severity || !a.text.trim()))) return 'words'
  if (!found(answers) || follow.action === '') return null
  if (takesDate(follow.action) && !/^\d{4}-\d{2}-\d{2}$/.test(follow.date)) return 'date'
  if (follow.action !== 'report') return null
  if (!follow.item || !follow.text.trim()) return 'report'
  return place ? null : 'place'
}

export function takesDate(action: RemedyAction | ''): action is 'supervise' | 'watch' | 'review-watch' {
  return action === 'supervise' || action === 'watch' || action === 'review-watch'
}

/** The evening of a day in Shanghai, as the API reads instants. */
export function endOf(date: string): string {
  return `${date}T18:00:00+08:00`
}

/** What may follow a finding: what the case allows, and always a new case. */
export function remediesFor(allowed: readonly string[]): RemedyAction[] {
  return REMEDIES.filter((r) => r === 'report' || allowed.includes(r))
}

/** What is sent. `seq` is of the case as it was seen; `here` where the inspector is; `spot` where a new case is. */
export function findingOf(item: InspectionItem, answers: Answers, more: { text: string; evidence: readonly string[]; follow: Follow; seq: number; here: Here | null; spot: LonLat | null }): Finding {
  const { text, evidence, follow, seq, here, spot } = more
  const action = found(answers) ? follow.action : ''
  return {
    item: item.number,
    marks: marksOf(answers),
    ...(text.trim() ? { text: text.trim() } : {}),
    ...(evidence.length > 0 ? { evidence } : {}),
    ...(here ? { position: { lon: here.at[0], lat: here.at[1], accuracy_m: Math.min(1000, Math.round(here.accuracyM)) } } : {}),
    ...(item.result ? { corrects: item.result.seq } : {}),
    ...(action ? { action } : {}),
    ...(action && action !== 'report' ? { seq } : {}),
    ...(action === 'supervise' ? { reply_by: endOf(follow.date) } : {}),
    ...(action === 'watch' || action === 'review-watch' ? { review: endOf(follow.date) } : {}),
    ...(action === 'report' && spot ? { report: { item: follow.item, text: follow.text.trim(), position: { lon: spot[0], lat: spot[1] } } } : {}),
  }
}

/** Where the inspector stands, as his device says. */
export interface Here {
  readonly at: LonLat
  readonly accuracyM: number
}

/** The number of the item to go to after `current`: the nearest that is to do, or the next by number; 0 when all is done. */
export function nextItem(items: readonly InspectionItem[], current: number, here: LonLat | null): number {
  const left = items.filter((i) => !i.result && i.number !== current)
  if (left.length === 0) return 0
  if (here) {
    const near = left.filter((i) => i.at).map((i) => ({ number: i.number, m: distanceM(here, i.at!) }))
    if (near.length > 0) return near.reduce((a, b) => (b.m < a.m ? b : a)).number
  }
  return (left.find((i) => i.number > current) ?? left[0]!).number
}

/** The pass rate with two decimals, rounded half up, as the service rounds; empty when nothing was looked at. */
export function rate({ checked, passed }: Line): string {
  if (checked === 0) return ''
  const hundredths = Math.floor((passed * 20000 + checked) / (2 * checked))
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')} %`
}

/** Reads places, one a line: a grid's code, a unit's code, or "lon,lat name". The number of the first line that is none, or 0. */
export function readPlaces(text: string, isGrid: (code: string) => boolean): { places: NonNullable<Plan['places']>; bad: number } {
  const places: NonNullable<Plan['places']>[number][] = []
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (!line) continue
    const spot = /^(-?\d+(?:\.\d+)?)\s*[,，]\s*(-?\d+(?:\.\d+)?)(?:\s+(.+))?$/.exec(line)
    const [code = '', ...words] = line.split(/\s+/)
    const name = words.join(' ')
    if (spot) places.push({ lon: Number(spot[1]), lat: Number(spot[2]), ...(spot[3] ? { name: spot[3] } : {}) })
    else if (isGrid(code)) places.push({ grid: code, ...(name ? { name } : {}) })
    else if (/^[\w-]*\d[\w-]*$/.test(code)) places.push({ unit: code, ...(name ? { name } : {}) })
    else return { places, bad: i + 1 }
  }
  return { places, bad: 0 }
}
