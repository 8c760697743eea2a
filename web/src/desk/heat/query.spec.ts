import { describe, expect, it } from 'vitest'
import { filterOf, readAsked, writeAsked } from './query'

describe('what is counted', () => {
  it.each([
    ['as usual', {}],
    ['everything', { window: '365d', per: 'km2', major: '07', channel: '12345', street: '310114001', open: '1', cells: '1' }],
  ])('is read as it is written: %s', (_name, query) => {
    expect(writeAsked(readAsked(query))).toEqual(query)
  })

  it('takes what is wrong for what is usual', () => {
    expect(readAsked({ window: '3y', per: 'head', open: 'yes' })).toEqual(readAsked({}))
  })

  it('narrows down by no more than is said', () => {
    expect(filterOf(readAsked({ window: '7d', major: '07', cells: '1' }))).toEqual({ major: '07' })
  })
})
