/** What an action asks of who takes it: the fields of its form, what is still missing, and what is sent. */
import type { Case } from '../../api/cases'
import type { LonLat } from '../../geometry/coord'
import { instantOf } from '../../ui/time'

export const FIELDS = ['answer', 'lead', 'item', 'position', 'stage', 'kind', 'joint', 'review', 'replyBy', 'extra', 'evidence', 'writing', 'text', 'duplicate'] as const
export type FieldName = (typeof FIELDS)[number]

export interface Field {
  readonly name: FieldName
  readonly required: boolean
}

/** What was filled in so far. Kept while the case changes under it. */
export interface Draft {
  readonly text: string
  /** Names of files that were sent. */
  readonly evidence: readonly string[]
  readonly writing: string
  readonly item: string
  readonly position: { readonly at: LonLat; readonly address: string } | null
  /** Id of the grid that was chosen among the candidates; 0 for none. */
  readonly answer: number
  readonly lead: string
  /** A day and a time of day, as their fields hold them. */
  readonly review: readonly [day: string, time: string]
  readonly replyBy: readonly [day: string, time: string]
  readonly extraHours: string
  readonly kind: string
  readonly stage: string
  readonly template: string
  readonly joining: readonly string[]
  readonly duplicate: string
}

export const BLANK: Draft = {
  text: '', evidence: [], writing: '', item: '', position: null, answer: 0, lead: '', review: ['', ''], replyBy: ['', ''],
  extraHours: '', kind: '', stage: '', template: '', joining: [], duplicate: '',
}

/** The field that a need is met by. Those that are not here are met by the case itself, or by who acts. */
const FIELD_OF: Readonly<Record<string, FieldName>> = {
  reason: 'text', evidence: 'evidence', 'written-request': 'writing', 'review-date': 'review', 'reply-by': 'replyBy', 'extra-time': 'extra',
  item: 'item', place: 'position', 'lead-department': 'lead', 'coordination-kind': 'kind', stage: 'stage', 'joint-duty': 'joint',
}

/** Fields that an action has a use for, though it can do without. */
const USES: Readonly<Record<string, readonly FieldName[]>> = {
  accept: ['item', 'position'], file: ['item', 'position'], dispatch: ['lead'], rule: ['lead'], void: ['duplicate'],
}

/** Actions that take no item or place with them: the case must have them already. */
const GIVES_NO_ITEM = ['self-handle']

/** What of a case decides which fields an action needs. */
export type Known = Pick<Case, 'item' | 'place' | 'cycle'>

/**
 * The fields of an action on a case that is `known` so far; `asks` says that a
 * dispatch has to ask which grid it is. Every action takes words and photos.
 */
export function fieldsOf(action: string, needs: readonly string[], known: Known, asks: boolean): Field[] {
  const required = new Set<FieldName>()
  for (const need of needs) {
    const field = FIELD_OF[need]
    if (field) required.add(field)
  }
  if (known.item) required.delete('item')
  if (known.place?.grid) required.delete('position')
  if (action === 'dispatch') {
    required.delete('lead') // found, or asked by one question
    if (asks) required.add('answer')
  }
  const wanted = new Set<FieldName>([...required, ...(USES[action] ?? []), 'text', 'evidence'])
  if (GIVES_NO_ITEM.includes(action) || known.cycle > 1) {
    wanted.delete('item')
    wanted.delete('position')
  }
  return FIELDS.filter((name) => wanted.has(name)).map((name) => ({ name, required: required.has(name) }))
}

/** Why an action cannot be taken whatever is filled in; null when it can. */
export function barred(action: string, needs: readonly string[], known: Known & Pick<Case, 'channel' | 'overlays'>): 'unverified' | 'no-item' | 'no-place' | null {
  if (needs.includes('verified') && known.channel === 'public' && !known.overlays.includes('verified')) return 'unverified'
  if (!GIVES_NO_ITEM.includes(action)) return null
  if (needs.includes('item') && !known.item) return 'no-item'
  return needs.includes('place') && !known.place?.grid ? 'no-place' : null
}

/** The required fields that are not filled in, or not with something that can be. */
export function missing(fields: readonly Field[], draft: Draft, now: number): FieldName[] {
  const lacks = fields.filter(({ name, required }) => required && !filled(name, draft, now)).map((field) => field.name)
  // Who names the department settles the question, too, and says why.
  if (draft.lead && lacks.includes('answer')) lacks.splice(lacks.indexOf('answer'), 1)
  if (draft.lead && fields.some((f) => f.name === 'lead' && !f.required) && !draft.text.trim()) lacks.push('text')
  return [...new Set(lacks)]
}

function filled(name: FieldName, d: Draft, now: number): boolean {
  switch (name) {
    case 'text':
      return d.text.trim() !== ''
    case 'evidence':
      return d.evidence.length > 0
    case 'writing':
      return d.writing !== ''
    case 'item':
      return d.item !== ''
    case 'position':
      return d.position !== null
    case 'answer':
      return d.answer !== 0
    case 'lead':
      return d.lead !== ''
    case 'review':
      return (instantOf(...d.review) ?? 0) > now
    case 'replyBy':
      return (instantOf(...d.replyBy) ?? 0) > now
    case 'extra':
      return extraNs(d) !== null
    case 'kind':
      return d.kind !== ''
    case 'stage':
      return d.stage !== ''
    case 'joint':
      return d.template !== ''
    case 'duplicate':
      return /^[1-9]\d{0,14}$/.test(d.duplicate.trim())
  }
}

/** From a minute on, in whole minutes. */
function extraNs(d: Draft): number | null {
  const minutes = Math.round(Number(d.extraHours) * 60)
  return d.extraHours.trim() !== '' && minutes >= 1 && Number.isFinite(minutes) ? minutes * 60e9 : null
}

/** What is sent with an action: seq, and of the fields those that were filled in. */
export function bodyOf(fields: readonly Field[], d: Draft, seq: number, now: number): Record<string, unknown> {
  const body: Record<string, unknown> = { seq }
  for (const { name } of fields) if (filled(name, d, now)) Object.assign(body, wire(name, d))
  return body
}

function wire(name: FieldName, d: Draft): Record<string, unknown> {
  switch (name) {
    case 'text':
      return { text: d.text.trim() }
    case 'evidence':
      return { evidence: d.evidence }
    case 'position':
      return d.position ? { position: { lon: d.position.at[0], lat: d.position.at[1], address: d.position.address } } : {}
    case 'review':
      return { review: iso(d.review) }
    case 'replyBy':
      return { reply_by: iso(d.replyBy) }
    case 'extra':
      return { extra_ns: extraNs(d) }
    case 'joint':
      return { template: d.template, joining: d.joining }
    case 'duplicate':
      return { duplicate_of: Number(d.duplicate) }
    case 'writing':
    case 'item':
    case 'answer':
    case 'lead':
    case 'kind':
    case 'stage':
      return { [name]: d[name] }
  }
}

function iso(when: readonly [day: string, time: string]): string {
  return new Date(instantOf(...when) ?? 0).toISOString()
}

/**
 * What can be done to many cases at once, and the needs that one form meets for
 * all of them: nothing that is each case's own, such as a photo or a stage.
 */
export const BATCHED: Readonly<Record<string, readonly string[]>> = {
  'ask-verification': [],
  accept: ['item', 'place', 'verified'],
  'not-accept': ['reason'],
  file: ['item', 'place', 'verified'],
  'not-file': ['reason'],
  dispatch: ['lead-department'],
  take: [],
  return: [],
  'return-misdispatched': [],
  'refuse-return': ['reason'],
  close: [],
  extend: ['reason', 'extra-time'],
  'refuse-extension': ['reason'],
  suspend: ['review-date'],
  'refuse-suspension': ['reason'],
  'review-suspension': ['reason', 'review-date'],
  'end-suspension': ['reason'],
  supervise: ['reason', 'reply-by'],
  answer: ['reason'],
  'ask-coordination': ['reason', 'coordination-kind'],
  escalate: ['reason'],
  watch: ['reason', 'review-date'],
  unwatch: ['reason'],
  void: ['reason'],
  reopen: ['reason'],
  note: ['reason'],
}

/** The fields of a batch: those that are required, and words. */
export function batchFields(action: string): Field[] {
  const own: readonly FieldName[] = ['item', 'position', 'lead', 'evidence', 'duplicate']
  const known: Known = { item: '', place: null, cycle: 1 }
  return fieldsOf(action, BATCHED[action] ?? [], known, false).filter((field) => !own.includes(field.name))
}

/** The actions that some of the selected cases allow, and how many of them; those for all come first. */
export function batchActions(allowed: readonly (readonly string[])[]): { readonly action: string; readonly cases: number }[] {
  return Object.keys(BATCHED)
    .map((action) => ({ action, cases: allowed.filter((list) => list.includes(action)).length }))
    .filter(({ cases }) => cases > 0)
    .sort((a, b) => b.cases - a.cases)
}
