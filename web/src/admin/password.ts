/** Letters and digits that are not taken for each other when read aloud or copied by hand. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 4
const GROUP = 4

/** A password of 79 random bits in four groups of four. */
export function makePassword(): string {
  const out: string[] = []
  const byte = new Uint8Array(1)
  const limit = 256 - (256 % LETTERS.length)
  while (out.length < GROUPS * GROUP) {
    crypto.getRandomValues(byte)
    // Bytes of the last, incomplete round would favour some letters.
    if (byte[0]! < limit) out.push(LETTERS[byte[0]! % LETTERS.length]!)
  }
  return Array.from({ length: GROUPS }, (_, i) => out.slice(i * GROUP, (i + 1) * GROUP).join('')).join('-')
}
