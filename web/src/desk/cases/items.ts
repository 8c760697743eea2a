import type { Item } from '../../api/catalogue'

/** The items that `text` finds, at most `most`: those whose name or code begins with it before those that hold it, then those of a major that does. */
export function findItems(items: readonly Item[], text: string, most: number): Item[] {
  const wanted = text.trim().toLowerCase()
  if (!wanted) return items.slice(0, most)
  const rank = ({ code, name, major }: Item): number => {
    if (code === wanted || name === wanted) return 0
    if (code.startsWith(wanted) || name.startsWith(wanted)) return 1
    if (name.toLowerCase().includes(wanted)) return 2
    if (major.name.includes(wanted)) return 3
    return inOrder(name, wanted) ? 4 : 5
  }
  return items
    .map((item) => ({ item, rank: rank(item) }))
    .filter((found) => found.rank < 5)
    .sort((a, b) => a.rank - b.rank || (a.item.code < b.item.code ? -1 : 1))
    .slice(0, most)
    .map((found) => found.item)
}

/** Whether all characters of `wanted` come in `name` in their order: 井损 finds 井盖缺损. */
function inOrder(name: string, wanted: string): boolean {
  let from = 0
  for (const c of wanted) {
    from = name.indexOf(c, from) + 1
    if (from === 0) return false
  }
  return true
}
