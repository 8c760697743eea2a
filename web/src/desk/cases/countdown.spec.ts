import { describe, expect, it } from 'vitest'
import { countdown, urgencyOf } from './countdown'

const words = { days: (n: number, h: number) => `${n}d${h}h`, hours: (n: number, m: number) => `${n}h${m}m` }
const S = 1000
const H = 3_600_000

describe('countdown', () => {
  it.each([
    ['the due second', 0, '0:00'],
    ['less than a second left', 400, '0:01'],
    ['less than a second over', -400, '0:00'],
    ['a minute and five', 65 * S, '1:05'],
    ['just below an hour', H - S, '59:59'],
    ['an hour', H, '1h0m'],
    ['late by an hour and a half', -1.5 * H, '1h30m'],
    ['47 hours', 47 * H, '47h0m'],
    ['two days and an hour', 49 * H, '2d1h'],
  ])('tells %s', (_name, left, want) => {
    expect(countdown(5e12 + left, 5e12, words)).toBe(want)
  })

  it.each([
    ['no clock', null, 'none'], ['past', -1, 'late'], ['this moment', 0, 'near'], ['within two hours', 2 * H - 1, 'near'],
    ['two hours', 2 * H, 'today'], ['a day', 24 * H, 'calm'],
  ] as const)('knows how pressing %s is', (_name, left, want) => {
    expect(urgencyOf(left === null ? null : 5e12 + left, 5e12)).toBe(want)
  })
})
