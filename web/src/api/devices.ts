import { get, send } from './client'
import type { Json } from './decode'
import type { Jurisdiction } from './session'
import { wireJurisdiction } from './session'
import type { Token } from './tokens'
import { readToken } from './tokens'
import { oneOf } from './units'

export const DATUMS_SENT = ['wgs84', 'gcj02', 'bd09'] as const
export type DatumSent = (typeof DATUMS_SENT)[number]

/** How a device reports. */
export interface Binding {
  /** Code of the unit that it reports for; empty for a gateway, which names one with every position. */
  readonly unit: string
  readonly datum: DatumSent
  /** Its OsmAnd-style speed is in m/s, not in knots. */
  readonly speedMps: boolean
  /** Its JT/T 808 number, or empty. */
  readonly terminal: string
}

export interface Device extends Token, Binding {}

/** What sets up the programs that report; it holds the secret and is told once. Empty where there is no such way. */
export interface Setup {
  readonly traccarQr: string
  readonly traccarUrl: string
  readonly traccarId: string
  readonly owntracksHttp: string
  readonly owntracksMqtt: string
  readonly osmand: string
  readonly api: string
}

export interface Provisioned {
  readonly device: Device
  readonly secret: string
  /** Of a device that reports for a unit. */
  readonly setup: Setup | null
}

export function fetchDevices(signal?: AbortSignal): Promise<Device[]> {
  return get('/api/v1/devices', {}, (json) => json.at('devices').itemsOrNone().map(readDevice), signal)
}

/** A jurisdiction of null is the unit's street, or the caller's own. */
export function createDevice(name: string, jurisdiction: Jurisdiction | null, binding: Binding): Promise<Provisioned> {
  const body = { name, ...(jurisdiction ? { jurisdiction: wireJurisdiction(jurisdiction) } : {}), ...wire(binding) }
  return send('POST', '/api/v1/devices', { body }, readProvisioned)
}

export function changeDevice(id: string, binding: Binding): Promise<Device> {
  return send('PATCH', `/api/v1/devices/${encodeURIComponent(id)}`, { body: wire(binding) }, readDevice)
}

function wire({ unit, datum, speedMps, terminal }: Binding): Record<string, unknown> {
  return { unit, datum, speed_mps: speedMps, terminal }
}

export function readDevice(json: Json): Device {
  return {
    ...readToken(json),
    unit: json.at('unit').textOr(''),
    datum: oneOf(json.at('datum'), DATUMS_SENT),
    speedMps: json.at('speed_mps').flagOr(false),
    terminal: json.at('terminal').textOr(''),
  }
}

export function readProvisioned(json: Json): Provisioned {
  const setup = json.at('setup')
  return {
    device: readDevice(json.at('device')),
    secret: json.at('secret').text(),
    setup: setup.absent
      ? null
      : {
          traccarQr: setup.at('traccar_qr').textOr(''),
          traccarUrl: setup.at('traccar_url').textOr(''),
          traccarId: setup.at('traccar_id').textOr(''),
          owntracksHttp: setup.at('owntracks_http').textOr(''),
          owntracksMqtt: setup.at('owntracks_mqtt').textOr(''),
          osmand: setup.at('osmand').textOr(''),
          api: setup.at('api').textOr(''),
        },
  }
}
