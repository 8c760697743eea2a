/**
 * Gives each node of a graph one of `tones` numbers (from 0) so that no two
 * neighbours have the same, wherever that is found within a bounded search;
 * otherwise the leftover nodes take the tone fewest of their neighbours have.
 * The same graph always gets the same answer.
 */
export function colour(beside: ReadonlyMap<string, ReadonlySet<string>>, tones: number): Map<string, number> {
  const done = new Map<string, number>()
  const steps = { left: 100_000 }
  if (!place([...beside.keys()].sort(), beside, tones, done, steps)) {
    done.clear()
    for (const node of byDegree(beside)) done.set(node, rarest(taken(node, beside, done, tones)))
  }
  return done
}

/** Places the node with the fewest tones left first, and steps back from dead ends. */
function place(
  nodes: string[], beside: ReadonlyMap<string, ReadonlySet<string>>, tones: number,
  done: Map<string, number>, steps: { left: number },
): boolean {
  if (done.size === nodes.length) return true
  let node = ''
  let counts: number[] = []
  let fewest = Infinity
  for (const candidate of nodes) {
    if (done.has(candidate)) continue
    const seen = taken(candidate, beside, done, tones)
    const free = seen.filter((n) => n === 0).length - (beside.get(candidate)?.size ?? 0) / 1e6
    if (free < fewest) [node, counts, fewest] = [candidate, seen, free]
  }
  for (let tone = 0; tone < tones; tone++) {
    if (counts[tone] !== 0) continue
    if (steps.left-- <= 0) return false
    done.set(node, tone)
    if (place(nodes, beside, tones, done, steps)) return true
    done.delete(node)
  }
  return false
}

function taken(node: string, beside: ReadonlyMap<string, ReadonlySet<string>>, done: ReadonlyMap<string, number>, tones: number): number[] {
  const counts = new Array<number>(tones).fill(0)
  for (const other of beside.get(node) ?? []) {
    const tone = done.get(other)
    if (tone !== undefined) counts[tone]! += 1
  }
  return counts
}

function byDegree(beside: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [...beside.keys()].sort((a, b) => beside.get(b)!.size - beside.get(a)!.size || (a < b ? -1 : 1))
}

function rarest(counts: number[]): number {
  return counts.indexOf(Math.min(...counts))
}
