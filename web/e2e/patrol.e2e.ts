import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawn, launch, pixelOf, shoot } from './browser'
import type { Service } from './service'
import { startService } from './service'
import { useVisits } from './visits'

const OWN = '310114103'
const OTHER = '310114106'

let browser: Browser
let service: Service
const { openAs } = useVisits(() => ({ browser, service }))
let folder: string
/** Told when the device was registered: where phones report, and its secret. */
let ingest = ''
let secret = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lianqin-e2e-patrol-'))
  browser = await launch()
  service = await startService({ admin: 'administrator', ops: 'district-operator', own: `street-operator street:${OWN}`, other: `street-operator street:${OTHER}` })
})
afterAll(async () => {
  await browser?.close()
  await service?.stop()
  rmSync(folder, { recursive: true, force: true })
})
/** A position well inside the `nth` grid of a street. */
async function inside(page: Page, street: string, nth: number): Promise<[number, number]> {
  const grids = (await (await page.request.get(`${service.url}/api/v1/grids?street=${street}`)).json()) as { features: { properties: { label: [number, number] } }[] }
  return grids.features[nth]!.properties.label
}

/** Reports as OsmAnd and Traccar Client do, 103-001 unless `more` has another id; the answer's status. */
async function report(at: readonly [number, number], more: Record<string, string> = {}): Promise<number> {
  const query = new URLSearchParams({ id: secret, lat: String(at[1]), lon: String(at[0]), timestamp: String(Date.now()), accuracy: '5', speed: '3', bearing: '90', ...more })
  return (await fetch(`${ingest}?${query}`)).status
}

const unitAt = (page: Page, p: { x: number; y: number }): Promise<number> =>
  page.evaluate(([x, y]) => (window.lianqin as unknown as { unitAt(x: number, y: number): number }).unitAt(x, y), [p.x, p.y] as const)

const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)

function sheet(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('who patrols', () => {
  it('makes a team and a unit', async () => {
    const { page } = await openAs('ops', '/admin/#/units')
    await page.locator('[data-test=teams-open]').click()
    const team = page.locator('[data-test=team-form]')
    await team.getByLabel('队伍编号').fill('T103')
    await team.getByLabel('队伍名称').fill('安亭巡防队')
    await team.getByLabel('街镇').selectOption(OWN)
    await team.getByRole('button', { name: '录入队伍' }).click()
    await expect.poll(() => page.locator('[data-test=teams]').innerText()).toContain('安亭巡防队')
    await page.keyboard.press('Escape')

    await page.locator('[data-test=create-unit]').click()
    const form = page.locator('[data-test=unit-form]')
    await form.getByLabel('编号').fill('103-001')
    await form.getByLabel('姓名').fill('张三')
    await form.getByLabel('街镇').selectOption(OWN)
    await form.getByLabel('队伍').selectOption('T103')
    await form.getByLabel('值勤').selectOption('always')
    await shoot(page, 'unit-form-1280x800')
    await form.getByRole('button', { name: '保存' }).click()
    const row = page.locator('[data-test=units] tbody tr', { hasText: '103-001' })
    await expect.poll(() => row.innerText()).toContain('安亭巡防队')
    await expect.poll(() => row.innerText()).toContain('未上报')
  })

  it('tells every bad row of a file by line and column, and enters none', async () => {
    const { page, allowFailedRequests } = await openAs('ops', '/admin/#/units')
    allowFailedRequests()
    await page.locator('[data-test=import-units]').click()
    const bad = sheet('坏.csv', `编号,姓名,类别,队伍,街镇,网格,值勤\n103-002,李四,,T103,${OWN},,\n103-003,,坦克,T103,${OWN},,\n106-001,王五,车辆,T9,${OTHER},,全天\n`)
    await page.locator('[data-test=sheet-file]').setInputFiles(bad)
    await page.locator('[data-test=enter-sheet]').click()
    const faults = page.locator('[data-test=cell-faults]')
    await expect.poll(() => faults.locator('tbody tr').count()).toBe(2)
    expect(await faults.locator('tbody tr').nth(0).innerText()).toMatch(/^3\s/)
    expect(await faults.locator('tbody tr').nth(1).innerText()).toMatch(/^4\s+team\s+T9/)
    await shoot(page, 'units-import-refused-1280x800')
    const good = sheet('好.csv', `编号,姓名,类别,队伍,街镇,网格,值勤\n103-002,李四,,T103,${OWN},,\n106-001,王五,车辆,,${OTHER},,全天\n`)
    await page.locator('[data-test=sheet-file]').setInputFiles(good)
    await page.locator('[data-test=enter-sheet]').click()
    await expect.poll(() => page.locator('[data-test=said]').innerText()).toContain('新建 2 个')
    await expect.poll(() => page.locator('[data-test=found]').innerText()).toBe('3 个单位')
    await page.getByLabel('查找单位').fill('王五')
    await expect.poll(() => page.locator('[data-test=found]').innerText()).toBe('1 / 3 个单位')
    await page.getByLabel('查找单位').fill('')
    await page.getByLabel('在岗情况').selectOption('off-duty')
    await expect.poll(async () => (await page.locator('[data-test=units] tbody tr').allInnerTexts()).join()).toMatch(/^103-002[^]*未在岗[^,]*$/)
  })

  it('shows gaps of the emergency post before they are entered, and the week after', async () => {
    const { page, allowFailedRequests } = await openAs('own', '/admin/#/roster')
    allowFailedRequests()
    const today = new Date(Date.now() + 8 * 3_600_000)
    const day = (n: number): string => new Date(today.getTime() + n * 86_400_000).toISOString().slice(0, 10)
    const file = sheet('排班.csv', `unit,post,date,from,to\n103-002,应急,${day(0)},08:00,16:00\n103-002,应急,${day(1)},08:00,16:00\n`)
    await page.locator('[data-test=import-roster]').click()
    await page.locator('[data-test=sheet-file]').setInputFiles(file)
    await page.locator('[data-test=enter-sheet]').click()
    await expect.poll(() => page.locator('[data-test=gaps-refused]').innerText()).toContain('空档')
    await shoot(page, 'roster-gaps-refused-1280x800')
    await page.getByRole('button', { name: '仍然录入' }).click()
    await expect.poll(() => page.locator('[data-test=said]').innerText()).toContain('已录入 2 个班次')
    await expect.poll(() => page.locator('[data-test=roster]').innerText()).toContain('李四')
    expect(await page.locator('[data-test=gaps]').innerText()).toContain('空档')
    expect(await page.locator('.bar.emergency').count()).toBeGreaterThan(0)
    await shoot(page, 'roster-1280x800')
  })
})

describe('a phone', () => {
  it('is registered with a code to scan, and its secret is told once', async () => {
    const { page } = await openAs('own', '/admin/#/devices', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true })
    await page.locator('[data-test=issue]').click()
    const form = page.locator('[data-test=device-form]')
    await form.getByLabel('名称').fill('张三的手机')
    await form.getByLabel('绑定单位').fill('103-001')
    await form.getByRole('button', { name: '登记设备' }).click()
    const qr = new URL((await page.locator('[data-test=qr]').getAttribute('data-text')) ?? '')
    secret = qr.searchParams.get('id') ?? ''
    ingest = qr.origin + qr.pathname
    expect(secret).toMatch(/^lqd_/)
    expect(new URL(ingest).origin).toBe(service.url)
    expect(await page.locator('[data-test=secret]').innerText()).toBe(secret)
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    await shoot(page, 'provision-360x740')
    await page.getByText('OwnTracks', { exact: true }).click()
    expect(await page.locator('[data-test=owntracks-link]').getAttribute('href')).toMatch(/^owntracks:\/\/\/config\?inline=/)
    await page.locator('[data-test=provision-done]').click()
    await expect.poll(() => page.locator('[data-test=tokens]').innerText()).toContain('张三的手机')
    expect(await page.content()).not.toContain(secret)
  })

  it('is on the map within seconds of what it reports, and moves', async () => {
    const { page } = await openAs('ops', '/')
    await drawn(page)
    await expect.poll(() => page.locator('[data-test=link]').innerText()).toBe('实时')
    const [first, second] = [await inside(page, OWN, 0), await inside(page, OWN, 1)]
    expect(await report(first, { timestamp: String(Date.now() - 600_000) })).toBe(200)
    await expect.poll(async () => unitAt(page, await pixelOf(page, first)), { timeout: 5_000 }).toBeGreaterThan(0)
    expect(await report(second)).toBe(200)
    await expect.poll(async () => unitAt(page, await pixelOf(page, second)), { timeout: 5_000 }).toBeGreaterThan(0)
    await expect.poll(() => page.locator('[data-test=online]').innerText()).toContain('1')

    const at = await pixelOf(page, second)
    await page.mouse.move(at.x, at.y)
    await expect.poll(() => page.locator('[data-test=unit-tooltip]').innerText()).toContain('103-001')
    await page.mouse.click(at.x, at.y)
    await expect.poll(() => page.locator('[data-test=unit-card]').innerText()).toContain('张三')
    expect(await page.locator('[data-test=presence]').innerText()).toContain('在线')
    expect(await page.locator('[data-test=unit-card]').innerText()).toContain('安亭巡防队')
    expect(new URL(page.url()).hash).toContain('unit=103-001')
    await shoot(page, 'map-unit-1280x800')
  })

  it('calls for help over everything else', async () => {
    const { page } = await openAs('ops', '/')
    await drawn(page)
    const at = await inside(page, OWN, 1)
    expect(await report(at, { alarm: 'sos' })).toBe(200)
    await expect.poll(() => page.locator('[data-test=calls]').innerText(), { timeout: 5_000 }).toContain('103-001 张三')
    await page.locator('[data-test=calls] button').click()
    await expect.poll(() => page.locator('[data-test=unit-card]').innerText()).toContain('求助')
    await drawn(page)
    await shoot(page, 'map-sos-1280x800')
    await report(at)
    await expect.poll(() => page.locator('[data-test=calls]').count(), { timeout: 5_000 }).toBe(0)
  })

  it('says since when there is no connection', async () => {
    const v = await openAs('ops', '/')
    v.allowFailedRequests()
    await expect.poll(() => v.page.locator('[data-test=link]').innerText()).toBe('实时')
    await v.page.route('**/api/v1/live', (route) => route.abort())
    await v.page.reload()
    await drawn(v.page)
    await expect.poll(() => v.page.locator('[data-test=link]').innerText(), { timeout: 20_000 }).toMatch(/^自 \d\d:\d\d 起无连接$/)
    await v.page.unroute('**/api/v1/live')
    await expect.poll(() => v.page.locator('[data-test=link]').innerText(), { timeout: 20_000 }).toBe('实时')
  })

  it('has its bad reports in quarantine, with the reason', async () => {
    const { page } = await openAs('own', '/admin/#/quarantine')
    await page.locator('[data-test=counts]').waitFor()
    expect(await report([0, 0])).toBe(200)
    expect(await report([121.2, 31.3], { timestamp: String(Date.now() + 3_600_000) })).toBe(200)
    await expect.poll(async () => {
      await page.locator('[data-test=reload]').click()
      return page.locator('[data-test=counts]').innerText()
    }, { timeout: 15_000, interval: 1_000 }).toMatch(/没有位置[\s\S]*时间超前|时间超前[\s\S]*没有位置/)
    await page.locator('[data-test=count-future]').click()
    await expect.poll(() => page.locator('[data-test=refusals] tbody tr').count()).toBe(1)
    expect(await page.locator('[data-test=refusals] tbody').innerText()).toContain('103-001')
    await page.locator('[data-test=count-no-position]').click()
    await expect.poll(() => page.locator('[data-test=refusals] tbody').innerText()).toContain('没有位置')
    expect(await page.content()).not.toContain(secret)
    await shoot(page, 'quarantine-1280x800')
  })

  it('leaves a track that can be looked at and taken along, and every look is in the audit', async () => {
    const v = await openAs('own', '/admin/#/units/103-001')
    await v.page.locator('[data-test=today]').click()
    await expect.poll(() => v.page.locator('[data-test=summary]').innerText()).toMatch(/^\d+ 个位置/)
    await drawn(v.page)
    await expect.poll(() => v.page.locator('[data-test=events]').innerText()).toContain('求助')
    expect(await v.page.locator('[data-test=looked]').innerText()).toContain('记入审计')
    await shoot(v.page, 'unit-1280x800')
    for (const [format, says] of [['GPX', '<gpx xmlns="http://www.topografix.com/GPX/1/1"'], ['CSV', 'unit,time,lon,lat'], ['GeoJSON', '"FeatureCollection"']] as const) {
      const href = await v.page.getByRole('link', { name: format }).getAttribute('href')
      expect(await (await v.page.request.get(service.url + href)).text()).toContain(says)
    }
    const admin = await openAs('admin', '/admin/#/audit')
    await expect.poll(() => admin.page.locator('[data-test=audit]').innerText()).toContain('103-001')
    expect(await admin.page.locator('[data-test=audit]').innerText()).toContain('查看轨迹')
  })
})

describe('a street', () => {
  it('has its own units and nobody else’s', async () => {
    const v = await openAs('other', '/admin/#/units')
    v.allowFailedRequests()
    await expect.poll(() => v.page.locator('[data-test=found]').innerText()).toBe('1 个单位')
    expect(await v.page.locator('[data-test=units]').innerText()).not.toContain('103-001')
    await v.page.evaluate(() => void (location.hash = '#/units/103-001'))
    await expect.poll(() => v.page.locator('[role=alert]').innerText()).toContain('没有找到')
    await v.page.goto(`${service.url}/?still=1`)
    await drawn(v.page)
    await expect.poll(() => v.page.locator('[data-test=link]').innerText()).toBe('实时')
    const { csrf } = (await (await v.page.request.get(`${service.url}/api/v1/session`)).json()) as { csrf: string }
    const made = await v.page.request.post(`${service.url}/api/v1/devices`, { data: { name: '车', unit: '106-001' }, headers: { 'X-CSRF-Token': csrf } })
    const { secret: id } = (await made.json()) as { secret: string }
    const [theirs, ours] = [await inside(v.page, OWN, 1), await inside(v.page, OTHER, 1)]
    // Another street's first: once the own one is there, so would that be.
    await report(theirs)
    await report(ours, { id })
    await expect.poll(async () => unitAt(v.page, await pixelOf(v.page, ours)), { timeout: 5_000 }).toBeGreaterThan(0)
    expect(await unitAt(v.page, await pixelOf(v.page, theirs))).toBe(0)
    await expect.poll(() => v.page.locator('[data-test=online]').innerText()).toContain('1')
  })
})

describe('every page', () => {
  it.each([
    ['1280x720', { viewport: { width: 1280, height: 720 } }],
    ['1920x1080', { viewport: { width: 1920, height: 1080 } }],
    ['360x740', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
  ] as const)('fits %s, in both themes and languages', async (name, options) => {
    const v = await openAs('ops', '/admin/#/units', options)
    for (const [section, ready] of [['units', 'units'], ['roster', 'week'], ['devices', 'tokens'], ['quarantine', 'counts'], ['units/103-001', 'unit-state']] as const) {
      await v.page.evaluate((hash) => void (location.hash = hash), `#/${section}`)
      await v.page.locator(`[data-test=${ready}]`).waitFor()
      expect(await overflow(v.page)).toBeLessThanOrEqual(0)
      expect(await v.page.evaluate(() => innerWidth)).toBe(options.viewport.width)
      await shoot(v.page, `${section.replace('/', '-')}-${name}`)
    }
    await v.page.getByLabel('切换为浅色').click()
    await v.page.getByLabel('English').click()
    for (const section of ['units', 'quarantine']) {
      await v.page.evaluate((hash) => void (location.hash = hash), `#/${section}`)
      await v.page.locator(`[data-test=${section === 'units' ? 'units' : 'counts'}]`).waitFor()
      expect(await overflow(v.page)).toBeLessThanOrEqual(0)
      await shoot(v.page, `${section}-light-en-${name}`)
    }
  })
})
