import { describe, expect, it } from 'vitest'
import { clock, day, instantOf, isBeginning, minute, second, span } from './time'

describe('time', () => {
  it.each([
    ['midnight of a new year here', '2026-12-31T16:00:00Z', '2027-01-01 00:00'],
    ['the last minute of a year here', '2026-12-31T15:59:59.999Z', '2026-12-31 23:59'],
    ['a leap day', '2028-02-28T16:30:00Z', '2028-02-29 00:30'],
  ])('shows %s', (_name, utc, want) => {
    expect(minute(Date.parse(utc))).toBe(want)
    expect(second(Date.parse(utc)).slice(0, 16)).toBe(want)
    expect(day(Date.parse(utc))).toBe(want.slice(0, 10))
  })

  it.each([
    ['a day', '2027-01-01', '00:00', '2026-12-31T16:00:00.000Z'],
    ['with seconds', '2027-01-01', '08:30:15', '2027-01-01T00:30:15.000Z'],
    ['no such day', '2027-02-30', '00:00', null],
    ['no such hour', '2027-01-01', '25:00', null],
    ['nothing', '', '', null],
  ])('reads %s', (_name, date, time, want) => {
    const got = instantOf(date, time)
    expect(got === null ? null : new Date(got).toISOString()).toBe(want)
  })

  it('knows the beginning', () => {
    expect(isBeginning(Date.parse('0001-01-01T00:00:00Z'))).toBe(true)
    expect(isBeginning(Date.parse('1970-01-01T00:00:00+08:00'))).toBe(true)
    expect(isBeginning(Date.parse('1990-01-01T00:00:00Z'))).toBe(false)
  })
})

describe('clock', () => {
  const now = Date.parse('2027-01-01T20:00:00+08:00')
  it('leaves out today', () => expect(clock(now - 3_600_000, now)).toBe('19:00'))
  it('names another day', () => expect(clock(now - 86_400_000, now)).toBe('2026-12-31 20:00'))
})

describe('span', () => {
  it.each([
    [-5, 'seconds', 0, 0], [59_999, 'seconds', 59, 0], [60_000, 'minutes', 1, 0], [3_599_999, 'minutes', 59, 0],
    [5_400_000, 'hours', 1, 30], [172_799_000, 'hours', 47, 59], [172_800_000, 'days', 2, 0],
  ])('%i ms is %s %i %i', (ms, unit, n, rest) => expect(span(ms)).toEqual({ unit, n, rest }))
})
