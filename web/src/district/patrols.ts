/** Patrols on the map: who is where by the live picture, and who they are by the roll. */
import type { ComputedRef, Ref, ShallowRef } from 'vue'
import { computed, ref, shallowRef, watch } from 'vue'
import type { FleetUnit } from '../api/frames'
import type { Unit } from '../api/units'
import { fetchRoll } from '../api/units'
import type { UnitMark } from '../mapkit/units-layer'
import type { Live } from '../ui/live'
import { useLive } from '../ui/live'
import type { Presence } from '../ui/presence'
import { callsOf, countPresences } from '../ui/presence'
import { may } from '../ui/session'
import { marksOf, owedOf } from './marks'

export interface Patrols extends Live {
  /** Whether the caller may see them. */
  readonly allowed: ComputedRef<boolean>
  readonly shown: Ref<boolean>
  readonly units: ComputedRef<ReadonlyMap<number, Unit>>
  readonly teams: ComputedRef<ReadonlyMap<string, string>>
  readonly counts: ComputedRef<Record<Presence, number>>
  readonly calls: ComputedRef<readonly FleetUnit[]>
  readonly marks: ComputedRef<readonly UnitMark[]>
  /** Ids of the grids that are owed a visit; the same list while they are the same. */
  readonly owed: ShallowRef<readonly number[]>
  byCode(code: string): Unit | undefined
}

/** Follows `live`, the picture of now if nothing else is said. */
export function usePatrols(live: Live = useLive(() => may('patrols.read'))): Patrols {
  const allowed = computed(() => may('patrols.read'))
  const shown = ref(true)
  const roll = shallowRef<Awaited<ReturnType<typeof fetchRoll>> | null>(null)
  const units = computed(() => new Map(roll.value?.units.map((unit) => [unit.id, unit]) ?? []))
  const teams = computed(() => new Map(roll.value?.teams.map((team) => [team.code, team.name]) ?? []))
  const owed = shallowRef<readonly number[]>([])

  /** Reads the roll; what fails is read again with the next frame. */
  let reading = false
  async function read(): Promise<void> {
    if (reading) return
    reading = true
    roll.value = await fetchRoll().catch(() => roll.value)
    reading = false
  }
  watch(live.fleet, (fleet) => {
    if (fleet.at > 0 && roll.value?.revision !== fleet.roll) void read()
    const next = shown.value ? owedOf(fleet.covers) : []
    if (next.join() !== owed.value.join()) owed.value = next
  })
  watch(shown, (on) => void (owed.value = on ? owedOf(live.fleet.value.covers) : []))

  return {
    ...live,
    allowed,
    shown,
    units,
    teams,
    counts: computed(() => countPresences(live.fleet.value, [...units.value.values()])),
    calls: computed(() => callsOf(live.fleet.value)),
    marks: computed(() => (shown.value ? marksOf(live.fleet.value, units.value) : [])),
    owed,
    byCode: (code) => roll.value?.units.find((unit) => unit.code === code),
  }
}
