import { describe, expect, it } from 'vitest'
import { changesOf } from './changes'

describe('changesOf', () => {
  it('names what differs, and nothing else', () => {
    const before = { login: 'li', role: 'viewer', jurisdiction: { level: 'district' }, changed: '2026-01-01T00:00:00Z' }
    const after = { login: 'li', role: 'planner', jurisdiction: { level: 'street', code: '310114004' }, changed: '2026-01-02T00:00:00Z' }
    expect(changesOf(before, after)).toEqual([
      { field: 'role', before: 'viewer', after: 'planner' },
      { field: 'jurisdiction.level', before: 'district', after: 'street' },
      { field: 'jurisdiction.code', before: undefined, after: '310114004' },
    ])
  })

  it.each([
    ['something new', undefined, { name: 'car 3', on: true }, [['name', undefined, 'car 3'], ['on', undefined, 'true']]],
    ['something gone', { name: 'car 3' }, null, [['name', 'car 3', undefined]]],
    ['a list', { codes: [1, 2] }, { codes: [1, 3] }, [['codes', '[1,2]', '[1,3]']]],
    ['a bare value', 'a', 'b', [['', 'a', 'b']]],
    ['false, which is something', { disabled: false }, { disabled: true }, [['disabled', 'false', 'true']]],
    ['nothing', undefined, undefined, []],
  ])('tells of %s', (_name, before, after, want) => {
    expect(changesOf(before, after).map((c) => [c.field, c.before, c.after])).toEqual(want)
  })

  it('tells of a list in the words given for it', () => {
    const tell = (list: readonly unknown[]): string | null => (list.every((n) => typeof n === 'number') ? list.join(' and ') : null)
    expect(changesOf({ codes: [1, 2], names: ['a'] }, { codes: [1, 3], names: ['b'] }, tell)).toEqual([
      { field: 'codes', before: '1 and 2', after: '1 and 3' },
      { field: 'names', before: '["a"]', after: '["b"]' },
    ])
  })
})
