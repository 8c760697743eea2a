import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Visit } from './browser'
import { drawn, launch, pixelOf, shoot } from './browser'
import type { Service } from './service'
import { startService } from './service'
import { useVisits } from './visits'

const STREET = '310114103'

let browser: Browser
let service: Service
const { open, openAs } = useVisits(() => ({ browser, service }), { viewport: { width: 1920, height: 1080 } })
/** Of the unit's device. */
let token = ''
let unit = 0
/** Two places well inside grids of the street. */
let here: [number, number] = [0, 0]
let there: [number, number] = [0, 0]
/** When the unit was at the first place. */
let before = 0

beforeAll(async () => {
  browser = await launch()
  service = await startService({ admin: 'administrator', ops: 'district-operator' })
})
afterAll(async () => {
  await browser?.close()
  await service?.stop()
})
const openAsOperator = (path: string): Promise<Visit> => openAs('ops', path)

async function post<T>(page: Page, path: string, data: unknown, headers: Record<string, string> = {}): Promise<T> {
  const { csrf } = (await (await page.request.get('/api/v1/session')).json()) as { csrf: string }
  const answer = await page.request.post(path, { headers: { 'X-CSRF-Token': csrf, ...headers }, data: data as never })
  expect([path, answer.ok() ? '' : await answer.text()]).toEqual([path, ''])
  return (await answer.json().catch(() => null)) as T
}

async function report(at: readonly [number, number], when = Date.now()): Promise<void> {
  const body = { positions: [{ lon: at[0], lat: at[1], time: new Date(when).toISOString(), accuracy_m: 5 }] }
  const answer = await fetch(`${service.url}/api/v1/positions`, { method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)])
}

const unitAt = (page: Page, p: { x: number; y: number }): Promise<number> =>
  page.evaluate(([x, y]) => (window.lianqin as unknown as { unitAt(x: number, y: number): number }).unitAt(x, y), [p.x, p.y] as const)

/** The unit that is drawn where a place is on the screen. */
const drawnAt = async (page: Page, at: [number, number]): Promise<number> => unitAt(page, await pixelOf(page, at))

const state = (page: Page): Promise<string> => page.locator('[data-test=link]').innerText()

describe('the wall', () => {
  it('is live: a unit walks and its mark moves, a case comes in and is counted', async () => {
    const { page } = await openAsOperator('/wall/')
    const grids = (await (await page.request.get(`/api/v1/grids?street=${STREET}`)).json()) as { features: { properties: { label: [number, number] } }[] }
    here = grids.features[0]!.properties.label
    there = grids.features[20]!.properties.label
    const made = await post<{ id: number }>(page, '/api/v1/units', { code: '103-001', name: '张三', street: STREET, duty: 'always' })
    unit = made.id
    token = (await post<{ secret: string }>(page, '/api/v1/devices', { name: '103-001', unit: '103-001' })).secret
    await drawn(page)
    before = Date.now() - 30 * 60_000 // nobody is there and here at once
    await report(here, before)
    await expect.poll(() => drawnAt(page, here), { timeout: 20_000 }).toBe(unit)
    await expect.poll(() => state(page)).toBe('实时')
    await expect.poll(() => page.locator('[data-test=staff] .figure').innerText()).toMatch(/1\s*\/ 1 人在线/)
    expect(await page.locator('[data-test=open]').innerText()).toBe('0')
    await post(page, '/api/v1/cases', { channel: 'public', item: '0701', text: '占道', position: { lon: here[0], lat: here[1], accuracy_m: 5 } })
    await expect.poll(() => page.locator('[data-test=open]').innerText(), { timeout: 30_000 }).toBe('1')
    await report(there)
    await expect.poll(() => drawnAt(page, there), { timeout: 20_000 }).toBe(unit)
    expect(await drawnAt(page, here)).toBe(0)
    await shoot(page, 'wall-1920x1080')
  })

  it('goes back to a past moment, as the replay has it, and to now', async () => {
    const { page } = await openAsOperator(`/wall/#t=${encodeURIComponent(new Date(before + 60_000).toISOString())}`)
    await drawn(page)
    await expect.poll(() => state(page)).toContain('回放')
    await expect.poll(() => drawnAt(page, here), { timeout: 20_000 }).toBe(unit)
    expect(await drawnAt(page, there)).toBe(0)
    await shoot(page, 'wall-past-1920x1080')
    await page.getByRole('button', { name: '回到实时' }).click()
    await expect.poll(() => drawnAt(page, there), { timeout: 20_000 }).toBe(unit)
    await expect.poll(() => state(page)).toBe('实时')
    expect(new URL(page.url()).hash).toBe('')
  })

  it('says that there is no connection when the service is gone, and recovers by itself', async () => {
    const v = await openAsOperator('/wall/')
    const { page } = v
    v.allowFailedRequests()
    await expect.poll(() => state(page)).toBe('实时')
    await service.down()
    await expect.poll(() => state(page), { timeout: 30_000 }).toMatch(/起无连接/)
    await service.up()
    await report(there)
    await expect.poll(() => state(page), { timeout: 60_000 }).toBe('实时')
    await expect.poll(() => drawnAt(page, there), { timeout: 30_000 }).toBe(unit)
  })

  it('hangs in a hall by a link, which cannot reach the desk', async () => {
    const ops = await openAsOperator('/wall/')
    const { url } = await post<{ url: string }>(ops.page, '/api/v1/links', { name: '大厅' })
    const secret = url.split('/').at(-1)!
    const v = await open(`/wall/?kiosk&key=${secret}`)
    const { page } = v
    await drawn(page)
    await expect.poll(() => state(page)).toBe('实时')
    expect(await page.locator('[data-test=time]').count()).toBe(0)
    await expect.poll(() => page.locator('[data-test=today]').innerText()).toMatch(/在办/)
    v.allowFailedRequests()
    for (const [path, status] of [['/api/v1/cases', 403], ['/api/v1/cases/1', 403], ['/api/v1/cases/index', 200], ['/api/v1/accounts', 403]] as const) {
      expect([path, (await page.request.get(path)).status()]).toEqual([path, status])
    }
    await shoot(page, 'wall-kiosk-1920x1080')
  })
})
