import { expect, it } from 'vitest'
import { makePassword } from './password'

it('makes passwords of four groups, never the same, of letters that are not confused', () => {
  const made = Array.from({ length: 200 }, makePassword)
  expect(new Set(made).size).toBe(made.length)
  for (const p of made) expect(p).toMatch(/^([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}$/)
})
