import { describe, expect, it } from 'vitest'
import { monthOf, narrowed, nextDay, queryOf, readDrill, readView, spanOf, writeView } from './view'

const NOW = Date.parse('2026-11-24T20:00:00Z') // the 25th in Shanghai

describe('the view in the address', () => {
  it('is this year by street where nothing is said', () => {
    const view = readView({}, NOW)
    expect(view).toEqual({ from: '2026-01-01', to: '2026-12-31', asOf: 'now', by: 'street', group: 'intake', filter: {} })
    expect(spanOf(view)).toBe('year')
  })

  it('is what was written', () => {
    const view = readView({ from: '2025-02-01', to: '2025-02-28', as_of: 'end', by: 'month', columns: 'orders', street: '310114001', topic: 'stalls' }, NOW)
    expect(readView(writeView(view), NOW)).toEqual(view)
    expect(spanOf(view)).toBe('month')
    expect(queryOf(view)).toEqual({ from: '2025-02-01', to: '2025-03-01', as_of: '2025-02-28T16:00:00.000Z', street: '310114001', topic: 'stalls' })
  })

  it.each([
    ['no day', { from: '2025-02-30', to: '2025-03-01' }],
    ['the wrong way round', { from: '2025-03-02', to: '2025-03-01' }],
    ['half', { from: '2025-03-02' }],
    ['no dimension', { by: 'mood', columns: 'x', as_of: 'soon' }],
  ])('is this year for %s', (_name, query) => expect(readView(query as Record<string, string>, NOW)).toEqual(readView({}, NOW)))

  it('narrows down to a line', () => {
    const year = readView({ from: '2024-01-15', to: '2024-12-31' }, NOW)
    expect(narrowed(year, 'month', '2024-01')).toMatchObject({ from: '2024-01-15', to: '2024-01-31' })
    expect(narrowed(year, 'month', '2024-02')).toMatchObject({ from: '2024-02-01', to: '2024-02-29' })
    expect(narrowed(year, 'day', '2024-02-29')).toMatchObject({ from: '2024-02-29', to: '2024-02-29' })
    expect(narrowed(year, 'street', '310114001').filter).toEqual({ street: '310114001' })
    expect(narrowed(year, 'department', '').filter).toEqual({ department: '-' })
    expect(narrowed(narrowed(year, 'street', 'a'), 'hour', '08').filter).toEqual({ street: 'a', hour: '08' })
  })

  it('knows months and days', () => {
    expect(monthOf('2025-12')).toEqual(['2025-12-01', '2025-12-31'])
    expect([nextDay('2024-02-28'), nextDay('2025-12-31')]).toEqual(['2024-02-29', '2026-01-01'])
  })

  it('tells a figure whose cases are shown', () => {
    expect(readDrill(['accepted', 'numerator'])).toEqual({ indicator: 'accepted', part: 'numerator' })
    expect([readDrill([]), readDrill(['accepted']), readDrill(['accepted', 'half'])]).toEqual([null, null, null])
  })
})
