import { describe, expect, it } from 'vitest'
import { hear, linkOf, openedAt } from './link'

describe('linkOf', () => {
  const first = hear(openedAt(0), 1_000, 500_000, true)

  it('opens, and says so when nothing comes', () => {
    expect(linkOf(openedAt(0), 4_999)).toEqual({ state: 'opening' })
    expect(linkOf(openedAt(0), 5_000)).toEqual({ state: 'lost', since: 0 })
  })

  it('is live whatever the two clocks say', () => {
    expect(linkOf(first, 1_000)).toEqual({ state: 'live' })
    expect(linkOf(hear(first, 2_000, 501_000, false), 2_500)).toEqual({ state: 'live' })
  })

  it('is lost since the last frame', () => {
    expect(linkOf(first, 5_999)).toEqual({ state: 'live' })
    expect(linkOf(first, 6_000)).toEqual({ state: 'lost', since: 1_000 })
  })

  it('catches up while frames of before come, and is live again', () => {
    let h = hear(first, 60_000, 501_000, false)
    expect(linkOf(h, 60_000)).toEqual({ state: 'catching-up' })
    h = hear(h, 60_100, 530_000, false)
    expect(linkOf(h, 60_100)).toEqual({ state: 'catching-up' })
    h = hear(h, 60_200, 559_000, false)
    expect(linkOf(h, 60_200)).toEqual({ state: 'live' })
  })

  it('begins anew with a snapshot', () => {
    const h = hear(hear(first, 60_000, 501_000, false), 61_000, 700_000, true)
    expect(linkOf(h, 61_000)).toEqual({ state: 'live' })
  })
})
