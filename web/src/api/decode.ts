/**
 * Turns JSON from the network into values of known shape. Nothing behind this
 * edge checks again. Each reader throws an unreadable ApiFault that names the
 * place: `grids[3].code: want text, got 12`.
 */
import type { LonLat } from '../geometry/coord'
import { ApiFault } from './fault'

export class Json {
  constructor(
    readonly value: unknown,
    readonly path = '$',
  ) {}

  wrong(want: string): ApiFault {
    const got = JSON.stringify(this.value)?.slice(0, 40) ?? 'nothing'
    return new ApiFault('unreadable', `${this.path}: want ${want}, got ${got}`)
  }

  /** A member of an object; a missing one has no value. */
  at(key: string): Json {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) throw this.wrong('an object')
    return new Json((this.value as Record<string, unknown>)[key], `${this.path}.${key}`)
  }

  /** The names of an object's members. */
  keys(): string[] {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) throw this.wrong('an object')
    return Object.keys(this.value)
  }

  get absent(): boolean {
    return this.value === undefined || this.value === null
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.wrong('text')
    return this.value
  }

  textOr(other: string): string {
    return this.absent ? other : this.text()
  }

  number(): number {
    if (typeof this.value !== 'number' || !Number.isFinite(this.value)) throw this.wrong('a number')
    return this.value
  }

  integer(): number {
    const n = this.number()
    if (!Number.isSafeInteger(n)) throw this.wrong('a whole number')
    return n
  }

  numberOr(other: number): number {
    return this.absent ? other : this.number()
  }

  flag(): boolean {
    if (typeof this.value !== 'boolean') throw this.wrong('true or false')
    return this.value
  }

  flagOr(other: boolean): boolean {
    return this.absent ? other : this.flag()
  }

  /** An instant in RFC 3339, in Unix milliseconds. */
  instant(): number {
    const ms = Date.parse(this.text())
    if (Number.isNaN(ms)) throw this.wrong('an instant')
    return ms
  }

  instantOrNull(): number | null {
    return this.absent || this.value === '' ? null : this.instant()
  }

  /** The items of a list; an absent one has none, as Go writes an empty list null. */
  itemsOrNone(): Json[] {
    return this.absent ? [] : this.items()
  }

  items(): Json[] {
    if (!Array.isArray(this.value)) throw this.wrong('a list')
    return this.value.map((item, i) => new Json(item, `${this.path}[${i}]`))
  }

  /** A list of whole numbers, however long; an absent one has none. */
  integersOrNone(): readonly number[] {
    if (this.absent) return []
    if (!Array.isArray(this.value)) throw this.wrong('a list')
    const list = this.value as unknown[]
    const bad = list.findIndex((n) => !Number.isSafeInteger(n))
    if (bad >= 0) throw new Json(list[bad], `${this.path}[${bad}]`).wrong('a whole number')
    return list as number[]
  }

  lonLat(): LonLat {
    const [lon, lat] = this.items()
    if (!lon || !lat) throw this.wrong('[longitude, latitude]')
    return [lon.number(), lat.number()]
  }
}
