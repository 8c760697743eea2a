import type { Palette } from '../ui/palette'
import type { Texture } from './images'
import { diamond } from './images'

/** How pressing a case is drawn; each has a shape beside its colour. */
export type CaseMark = 'late' | 'near' | 'calm'

/** Full for what is late, with a bright heart for what soon will be, small and faint for the rest: `calm` pixels wide. */
export function caseMarks(p: Palette, calm: number): Record<CaseMark, Texture> {
  return {
    late: diamond(28, p.urgent, p.markEdge, true),
    near: diamond(26, p.warning, p.markEdge, false),
    calm: diamond(calm, p.caseCalm, p.markEdge, true),
  }
}
