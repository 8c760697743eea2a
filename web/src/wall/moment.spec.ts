import { describe, expect, it } from 'vitest'
import { LIVE, minuteOf, moved, readMoment, writeMoment } from './moment'

const NOW = Date.parse('2026-03-03T12:00:00+08:00')
const NINE = Date.parse('2026-03-03T09:12:00+08:00')

describe('a moment in a link', () => {
  it('comes back as it went', () => {
    for (const moment of [LIVE, { kind: 'past', at: NINE, speed: 0 }, { kind: 'past', at: NINE, speed: 10 }] as const) {
      expect(readMoment(`#${writeMoment(moment)}`, NOW)).toEqual(moment)
    }
  })
  it('is in the time of the place, so that people can read it', () => {
    expect(writeMoment({ kind: 'past', at: NINE, speed: 60 })).toBe('t=2026-03-03T09:12:00+08:00&x=60')
  })
  it('is now when it is none, or to come', () => {
    for (const hash of ['', '#', '#t=yesterday', '#t=2026-03-04T00:00:00%2B08:00', '#x=10']) expect(readMoment(hash, NOW)).toBe(LIVE)
  })
  it('stands still at a speed that is none', () => {
    expect(readMoment('#t=2026-03-03T09:12:00%2B08:00&x=7', NOW)).toEqual({ kind: 'past', at: NINE, speed: 0 })
  })
})

describe('moving', () => {
  it('goes back from now, and on to now', () => {
    const back = moved(LIVE, -3_600_000, NOW)
    expect(back).toEqual({ kind: 'past', at: NOW - 3_600_000, speed: 0 })
    expect(moved(back, 3_600_000, NOW)).toBe(LIVE)
    expect(moved(back, 7_200_000, NOW)).toBe(LIVE)
  })
  it('keeps the speed', () => {
    expect(moved({ kind: 'past', at: NINE, speed: 30 }, -60_000, NOW)).toEqual({ kind: 'past', at: NINE - 60_000, speed: 30 })
  })
})

it('minutes are whole', () => expect(minuteOf(NINE + 59_999)).toBe(NINE))
