/** The reader's language and theme, kept in this browser. */
import { computed, ref, watchEffect } from 'vue'
import type { Palette, Theme } from './palette'
import { palettes } from './palette'
import { en } from './strings/en'
import type { Strings } from './strings/zh'
import { zh } from './strings/zh'

export type Language = 'zh' | 'en'

export const language = ref<Language>(stored('lianqin.language') === 'en' ? 'en' : 'zh')
export const theme = ref<Theme>(stored('lianqin.theme') === 'light' ? 'light' : 'dark')

/** The words of the chosen language. */
export const words = computed<Strings>(() => (language.value === 'en' ? en : zh))

export const palette = computed<Palette>(() => palettes[theme.value])

/** Carries the settings into the document and the browser's store, now and on every change. `title` names the page. */
export function applySettings(title: (words: Strings) => string = (w) => w.title): void {
  watchEffect(() => {
    const root = document.documentElement
    root.lang = words.value.lang
    root.dataset['theme'] = theme.value
    root.style.colorScheme = theme.value
    for (const [name, value] of Object.entries(palette.value)) {
      if (typeof value === 'string') root.style.setProperty(`--${kebab(name)}`, value)
    }
    palette.value.heat.forEach((value, i) => root.style.setProperty(`--heat-${i}`, value))
    for (const [name, value] of Object.entries(palette.value.units)) root.style.setProperty(`--units-${name}`, value)
    document.title = `${words.value.brand} · ${title(words.value)}`
    store('lianqin.language', language.value)
    store('lianqin.theme', theme.value)
  })
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)
}

// A browser may forbid the store altogether; then settings last as long as the page.
function stored(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Nothing is lost but the memory of a setting.
  }
}
