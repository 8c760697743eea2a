/** The sections of the desk: which there are, whose they are, and what draws them. */
import type { Component } from 'vue'
import { defineAsyncComponent } from 'vue'
import type { SectionName } from './place'

export interface Section {
  readonly name: SectionName
  /** What a caller must be allowed to see it: any one of these. */
  readonly actions: readonly string[]
  /** Gets the `place` that is shown. Loaded when it is first seen. */
  readonly page: Component
}

/** In the order in which the page offers them; the first that is open to the caller is where he starts. */
export const SECTIONS: readonly Section[] = [
  { name: 'cases', actions: ['cases.read'], page: defineAsyncComponent(() => import('./cases/CasesPage.vue')) },
  { name: 'figures', actions: ['indicators.read'], page: defineAsyncComponent(() => import('./figures/FiguresPage.vue')) },
  { name: 'heat', actions: ['indicators.read'], page: defineAsyncComponent(() => import('./heat/HeatPage.vue')) },
  { name: 'inspection', actions: ['inspections.read'], page: defineAsyncComponent(() => import('./inspection/InspectionPage.vue')) },
  { name: 'settings', actions: ['catalogue.read'], page: defineAsyncComponent(() => import('./settings/SettingsPage.vue')) },
]

/** The sections open to a caller who may do `actions`. */
export function openTo(actions: readonly string[]): Section[] {
  return SECTIONS.filter((section) => section.actions.some((action) => actions.includes(action)))
}
