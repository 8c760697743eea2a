import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * Who may import whom. Apps share these folders and never import each other;
 * only mapkit knows MapLibre, only api speaks to the network.
 */
const shared: Record<string, string[]> = {
  geometry: [],
  api: ['geometry'],
  ui: ['api', 'geometry'],
  mapkit: ['geometry', 'ui'],
  district: ['api', 'geometry', 'mapkit', 'ui'],
}
const src = import.meta.dirname
const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name)

interface File {
  readonly path: string
  readonly folder: string
  readonly text: string
}

function filesUnder(dir: string): File[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|vue)$/.test(name) && name.includes('/'))
    .map((name) => ({ path: name, folder: name.split('/')[0]!, text: readFileSync(join(dir, name), 'utf8') }))
}

function importsOf({ text }: File): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((m) => m[1]!)
}

const files = filesUnder(src)

/** The folder of src that a relative import leads to, or null for a package. */
function folderOf(file: File, target: string): string | null {
  if (!target.startsWith('.')) return null
  return relative(src, resolve(src, dirname(file.path), target)).split('/')[0] ?? null
}

describe('imports', () => {
  it('are read from every folder', () => {
    expect(files.length).toBeGreaterThan(20)
    for (const folder of Object.keys(shared)) expect(folders).toContain(folder)
  })

  it('follow the table of folders', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file).flatMap((target) => {
        const to = folderOf(file, target)
        const allowed = shared[file.folder] ?? Object.keys(shared)
        return to === null || to === file.folder || allowed.includes(to) ? [] : [`${file.path} imports ${target}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('reach maplibre-gl only from mapkit', () => {
    const wrong = files.filter((file) => file.folder !== 'mapkit' && importsOf(file).some((target) => target.startsWith('maplibre-gl')))
    expect(wrong.map((file) => file.path)).toEqual([])
    expect(files.some((file) => file.folder === 'mapkit' && importsOf(file).includes('maplibre-gl'))).toBe(true)
  })

  it('leave the network to api', () => {
    const speaks = /\b(fetch|XMLHttpRequest|EventSource|WebSocket|sendBeacon)\s*\(/
    const wrong = files.filter((file) => file.folder !== 'api' && speaks.test(file.text))
    expect(wrong.map((file) => file.path)).toEqual([])
  })

  it('name no address outside this server', () => {
    const wrong = files.filter((file) => !/\.spec\.ts$/.test(file.path) && /https?:\/\/(?!www\.w3\.org)/.test(file.text))
    expect(wrong.map((file) => file.path)).toEqual([])
  })

  it('keep colours in the palette', () => {
    const wrong = files.filter((file) => file.path !== 'ui/palette.ts' && /#[0-9a-f]{6}\b/i.test(file.text))
    expect(wrong.map((file) => file.path)).toEqual([])
  })
})
