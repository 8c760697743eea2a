import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawn, launch, shoot } from './browser'
import type { Service } from './service'
import { startService } from './service'
import { useVisits } from './visits'

const STREET = '310114103'

let browser: Browser
let service: Service
const { openAs } = useVisits(() => ({ browser, service }))

beforeAll(async () => {
  browser = await launch()
  service = await startService({
    admin: 'administrator', ops: 'district-operator', team: `department-handler department:${STREET}-S02`, checker: 'inspector', sun: `inspector street:${STREET}`,
  })
})
afterAll(async () => {
  await browser?.close()
  await service?.stop()
})
interface CaseAnswer {
  readonly case: { readonly id: number; readonly seq: number; readonly state: string; readonly cycle: { readonly number: number }; readonly past?: unknown[] }
  readonly history: { readonly action: string; readonly input: { readonly inspected?: { readonly inspection: number; readonly item: number } } }[]
}

/** Asks the API as the page's user. */
async function api<T>(page: Page, method: string, path: string, body?: unknown): Promise<T> {
  const session = (await (await page.request.get(`${service.url}/api/v1/session`)).json()) as { csrf: string }
  const response = await page.request.fetch(service.url + path, { method, headers: { 'X-CSRF-Token': session.csrf }, ...(body === undefined ? {} : { data: body }) })
  if (!response.ok()) throw new Error(`${method} ${path}: ${response.status()} ${await response.text()}`)
  return (await response.json()) as T
}

/** The smallest photo that is one: a grey JPEG, drawn by the browser itself. */
async function photo(page: Page): Promise<string> {
  const bytes = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 })
    canvas.getContext('2d')!.fillRect(0, 0, 64, 48)
    const blob = await new Promise<Blob>((done) => canvas.toBlob((b) => done(b!), 'image/jpeg'))
    return [...new Uint8Array(await blob.arrayBuffer())]
  })
  const session = (await (await page.request.get(`${service.url}/api/v1/session`)).json()) as { csrf: string }
  const response = await page.request.post(`${service.url}/api/v1/files`, {
    headers: { 'X-CSRF-Token': session.csrf }, multipart: { file: { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(bytes) } },
  })
  return ((await response.json()) as { name: string }).name
}

/** A case in the street, taken through its life to the end. */
async function closedCase(ops: Page, team: Page, checker: Page): Promise<number> {
  const grids = (await (await ops.request.get(`${service.url}/api/v1/grids?street=${STREET}`)).json()) as { features: { properties: { label: [number, number] } }[] }
  const [lon, lat] = grids.features[0]!.properties.label
  let got = await api<CaseAnswer>(ops, 'POST', '/api/v1/cases', { channel: 'emergency', item: '0701', text: '占道设摊', position: { lon, lat, accuracy_m: 5 } })
  for (const [page, action, fields] of [
    [ops, 'accept', {}], [ops, 'file', {}], [ops, 'dispatch', {}], [team, 'take', {}], [team, 'dispose', { text: '已劝离', evidence: [await photo(team)] }],
    [checker, 'check', { evidence: [await photo(checker)] }], [ops, 'close', {}],
  ] as const) {
    got = await api<CaseAnswer>(page, 'POST', `/api/v1/cases/${got.case.id}/actions/${action}`, { seq: got.case.seq, ...fields })
  }
  expect(got.case.state).toBe('closed')
  return got.case.id
}

describe('inspection', () => {
  it('draws a sample, finds what is not fixed, and the case is open again in another cycle', async () => {
    const [ops, team, checker] = await Promise.all(['ops', 'team', 'checker'].map(async (login) => (await openAs(login, '/desk/#/inspection')).page))
    const id = await closedCase(ops!, team!, checker!)

    const { page } = await openAs('sun', '/desk/#/inspection', { viewport: { width: 390, height: 844 }, hasTouch: true, permissions: ['geolocation'], geolocation: { longitude: 121.2, latitude: 31.3, accuracy: 8 } })
    await page.locator('[data-test=new-inspection]').click()
    await page.locator('[data-test=title]').fill('结案抽查')
    await page.locator('[data-test=size]').fill('5')
    // What was closed just now is in the population once it is settled.
    await expect.poll(async () => {
      await page.locator('[data-test=preview]').click()
      await page.waitForTimeout(500)
      return page.locator('[data-test=population]').innerText()
    }, { timeout: 60_000, interval: 1_000 }).toContain('总体 1 个')
    await page.locator('[data-test=draw]').click()
    await expect.poll(() => page.locator('[data-test=items] li').count()).toBe(1)
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
    const inspection = Number(new URL(page.url()).hash.split('/')[2])

    await page.locator('[data-test=begin]').click()
    const form = page.locator('[data-test=checklist]')
    await form.locator('[data-check=not-fixed] label', { hasText: '否' }).click()
    await form.locator('[data-test=rest-good]').click()
    await form.locator('[data-test=enter]').click()
    await expect.poll(() => form.locator('[data-test=lack]').innerText()).toContain('程度与说明')
    await form.locator('[data-check=not-fixed] label', { hasText: '严重' }).click()
    await form.getByLabel('问题说明').fill('摊位仍在')
    await form.locator('[data-remedy=reopen]').check()
    await form.locator('[data-test=photo]').setInputFiles({ name: 'site.png', mimeType: 'image/png', buffer: await picture(page) })
    await form.locator('[data-test=locate]').click()
    await expect.poll(() => form.innerText()).toContain('精度 ±8 米')
    await shoot(page, 'inspection-item-390x844')
    await form.locator('[data-test=enter]').click()
    await expect.poll(() => page.locator('[data-test=remedy]').innerText()).toContain(`重新立案（案件 ${id}）`)

    const after = await api<CaseAnswer>(page, 'GET', `/api/v1/cases/${id}`)
    expect([after.case.state, after.case.cycle.number, after.case.past?.length]).toEqual(['filed', 2, 1])
    expect(after.history.at(-1)!.input.inspected).toEqual({ inspection, item: 1 })

    await page.locator('[data-test=to-list]').click()
    await page.locator('[data-test=finish]').click()
    await page.locator('[data-test=finish-do]').click()
    await expect.poll(() => page.locator('[data-test=rate]').innerText()).toBe('0.00 %')
    await shoot(page, 'inspection-result-390x844')

    // The department sees it now, and that the sample is what it is said to be.
    await team!.reload()
    await expect.poll(() => team!.locator('[data-test=inspections]').innerText()).toContain('结案抽查')
    const district = (await openAs('checker', `/desk/#/inspection/${inspection}`, { viewport: { width: 1366, height: 768 } })).page
    await drawn(district)
    await district.locator('[data-test=verify]').click()
    await expect.poll(() => district.locator('[data-test=proof]').innerText()).toContain('样本一致')
    await shoot(district, 'inspection-verified-1366x768')
  })
})

/** A photo that the page itself draws. */
async function picture(page: Page): Promise<Buffer> {
  const data = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 })
    const draw = canvas.getContext('2d')!
    draw.fillStyle = '#4a6'
    draw.fillRect(0, 0, 320, 240)
    return canvas.toDataURL('image/png').split(',')[1]!
  })
  return Buffer.from(data, 'base64')
}
