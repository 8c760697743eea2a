import { describe, expect, it } from 'vitest'
import { KEYS, commandOf, inOrder, lettersOf } from './keys'

const press = (key: string, held: Partial<{ shift: boolean; ctrl: boolean; alt: boolean }> = {}) => ({ key, shift: false, ctrl: false, alt: false, ...held })

describe('keys', () => {
  it.each([
    ['j', press('j'), 'next'], ['an arrow', press('ArrowUp'), 'previous'], ['a range', press('ArrowDown', { shift: true }), 'extend-next'],
    ['a range by letter', press('K', { shift: true }), 'extend-previous'], ['all', press('a', { ctrl: true }), 'all'], ['help', press('?', { shift: true }), 'help'],
    ['the browser’s own', press('r', { ctrl: true }), null], ['a menu', press('j', { alt: true }), null], ['an action’s letter', press('d'), null],
    ['a word of objects', press('constructor'), null],
  ])('reads %s', (_name, pressed, want) => {
    expect(commandOf(pressed)).toBe(want)
  })

  it('gives every action a letter of its own that moves nothing about', () => {
    const many = ['accept', 'not-accept', 'ask-verification', 'void', 'supervise', 'ask-coordination', 'escalate', 'watch', 'finish-order', 'note', 'something-new']
    const letters = lettersOf(many)
    expect([...letters.keys()].sort()).toEqual([...many].sort())
    expect(new Set(letters.values()).size).toBe(many.length)
    for (const letter of letters.values()) expect(Object.hasOwn(KEYS, letter)).toBe(false)
  })

  it('offers what leads on first and notes last, and what it does not know after them', () => {
    const names = (...list: string[]): string[] => inOrder(list.map((action) => ({ action }))).map((a) => a.action)
    expect(names('note', 'finish-order', 'something-new', 'accept', 'not-accept')).toEqual(['accept', 'not-accept', 'finish-order', 'note', 'something-new'])
  })

  it('leads through a case by the same letters always', () => {
    for (const others of [[], ['note', 'watch', 'supervise', 'joint-duty', 'finish-order']]) {
      expect(lettersOf(['accept', 'not-accept', ...others]).get('accept')).toBe('a')
      expect(lettersOf(['file', 'not-file', ...others]).get('file')).toBe('f')
      expect(lettersOf(['dispatch', ...others]).get('dispatch')).toBe('d')
      expect(lettersOf(['dispose', 'ask-extension', ...others]).get('dispose')).toBe('d')
      expect(lettersOf(['close', 'rework', ...others]).get('close')).toBe('c')
    }
  })
})
