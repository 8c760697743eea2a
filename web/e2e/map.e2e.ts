import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { length, plain, position } from '../src/ui/format'
import type { Visit } from './browser'
import { api, drawn, launch, pixelOf, shoot, shownAt, visit } from './browser'

interface GridFeature {
  id: number
  properties: { id: number; code: string; name: string; street: string; street_name: string; department_name: string; label: [number, number] }
}
interface Answer {
  lon: number
  lat: number
  grid: { id: number; code: string; name: string } | null
  street: { name: string } | null
  department: { name: string } | null
  border_distance_m: number
  nearest?: { grid: { code: string; name: string }; distance_m: number }
}

let browser: Browser
let grids: GridFeature[]
let visits: Visit[] = []

beforeAll(async () => {
  browser = await launch()
  grids = (await api<{ features: GridFeature[] }>('/api/v1/grids')).features
})
afterAll(() => browser?.close())

async function open(...args: [path?: string, options?: Parameters<typeof visit>[2]]): Promise<Visit> {
  const made = await visit(browser, ...args)
  visits.push(made)
  return made
}

afterEach(async () => {
  const trespasses = visits.flatMap((v) => v.trespasses)
  await Promise.all(visits.map((v) => v.close()))
  visits = []
  expect(trespasses).toEqual([])
})

const every = (n: number): GridFeature[] => grids.filter((_grid, i) => i % Math.ceil(grids.length / n) === 0)
const text = (v: Visit, name: string): Promise<string> => v.page.locator(`[data-test=${name}]`).innerText()
const figure = async (v: Visit, name: string): Promise<string> => (await text(v, name)).replace(/\s+/g, ' ')

/** The chosen point as the address tells it, WGS-84. */
async function addressPoint(v: Visit): Promise<[number, number]> {
  const [lon, lat] = (new URL(v.page.url()).hash.match(/at=([^&]+)/)?.[1] ?? '').split(',').map(Number)
  return [lon!, lat!]
}

/** Expects the card to say what the server says about the chosen point. */
async function expectCardAnswers(v: Visit, want: Answer): Promise<void> {
  expect(await text(v, 'code')).toBe(want.grid?.code)
  expect(await v.page.locator('.card h2').innerText()).toBe(want.grid?.name)
  expect(await text(v, 'street')).toBe(want.street?.name)
  expect(await text(v, 'department')).toBe(want.department?.name)
  expect(await figure(v, 'border')).toBe(plain(length(want.border_distance_m)))
  expect(await text(v, 'coordinates')).toBe(position([want.lon, want.lat]))
}

describe('the map page', () => {
  it('draws every grid, and a press answers as the server does', async () => {
    const v = await open()
    await drawn(v.page)
    const shown = await v.page.evaluate(() => {
      const all = window.lianqin!.map.queryRenderedFeatures(undefined, { layers: ['grid-area'] })
      return new Set(all.map((f) => f.properties['id'])).size
    })
    expect(shown).toBe(grids.length)

    for (const grid of every(8)) {
      const { x, y } = await pixelOf(v.page, grid.properties.label)
      await v.page.mouse.click(x, y)
      await v.page.waitForFunction((code) => document.querySelector('[data-test=code]')?.textContent === code, grid.properties.code)
      const [lon, lat] = await addressPoint(v)
      const want = await api<Answer>(`/api/v1/resolve?lon=${lon}&lat=${lat}`)
      await expectCardAnswers(v, want)
      const [tile] = await shownAt(v.page, x, y, 'grid-area')
      expect(tile?.['id']).toBe(want.grid?.id)
    }
  })

  it('names the grid under the pointer', async () => {
    const v = await open()
    await drawn(v.page)
    for (const { properties } of every(5)) {
      const { x, y } = await pixelOf(v.page, properties.label)
      await v.page.mouse.move(x, y)
      await expect.poll(() => v.page.locator('.tooltip').innerText()).toContain(properties.name)
      expect(await v.page.locator('.tooltip').innerText()).toContain(properties.code)
    }
    await v.page.mouse.move(640, 2)
    await expect.poll(() => v.page.locator('.tooltip').count()).toBe(0)
  })

  it('finds grids by name and code, with the keyboard alone', async () => {
    const v = await open()
    await drawn(v.page)
    const { properties: grid } = grids[Math.floor(grids.length / 2)]!
    await v.page.keyboard.press('/')
    await v.page.keyboard.type(grid.code.toLowerCase())
    await v.page.locator('[role=option]').first().waitFor()
    await v.page.keyboard.press('Enter')
    await v.page.waitForFunction((code) => document.querySelector('[data-test=code]')?.textContent === code, grid.code)
    expect(await text(v, 'department')).toBe(grid.department_name)
    expect(new URL(v.page.url()).hash).toContain(`grid=${grid.code}`)
    await drawn(v.page)
    const { x, y } = await pixelOf(v.page, grid.label)
    expect(x).toBeGreaterThan(340)
    expect(x).toBeLessThan(1280)
    expect(y).toBeGreaterThan(0)
    expect(y).toBeLessThan(800)

    const street = grid.street_name
    await v.page.keyboard.press('/')
    await v.page.locator('input[role=combobox]').fill(street)
    await v.page.locator('[role=option]').first().waitFor()
    await v.page.keyboard.press('ArrowDown')
    await v.page.keyboard.press('ArrowDown')
    const third = await v.page.locator('[role=option][aria-selected=true] .code').innerText()
    expect(third).toBe(await v.page.locator('[role=option]').nth(2).locator('.code').innerText())
    await v.page.keyboard.press('Enter')
    expect(await text(v, 'code')).toBe(third)

    await v.page.locator('input[role=combobox]').fill('浦东新区')
    expect(await v.page.locator('.results').innerText()).toContain('没有名称或编号含“浦东新区”')
  })

  it('goes to pasted coordinates in any order, form and datum', async () => {
    const v = await open()
    await drawn(v.page)
    const box = v.page.locator('input[role=combobox]')
    const { label } = grids[3]!.properties
    await box.fill(`${label[1]},${label[0]}`)
    await box.press('Enter')
    await v.page.locator('[data-test=code]').waitFor()
    await expectCardAnswers(v, await api<Answer>(`/api/v1/resolve?lon=${label[0]}&lat=${label[1]}`))

    await v.page.locator('.search label', { hasText: 'GCJ-02' }).click()
    const shifted = await api<Answer>(`/api/v1/resolve?lon=${label[0]}&lat=${label[1]}&datum=gcj02`)
    await v.page.waitForFunction((at) => document.querySelector('[data-test=coordinates]')?.textContent === at, position([shifted.lon, shifted.lat]))
    await expectCardAnswers(v, shifted)

    await v.page.locator('.search label', { hasText: 'WGS-84' }).click()
    await box.fill(`东经121度14分49.2秒，北纬31度22分58.8秒`)
    await box.press('Enter')
    await v.page.waitForFunction(() => document.querySelector('[data-test=coordinates]')?.textContent === '121.247000, 31.383000')

    await box.fill('200.5, 31.3')
    expect(await v.page.locator('.search [role=alert]').innerText()).toContain('坐标超出范围')
  })

  it('says so outside the district, and leads to the nearest grid', async () => {
    const v = await open()
    await drawn(v.page)
    const box = v.page.locator('input[role=combobox]')
    await box.fill('121.45, 31.2')
    await box.press('Enter')
    const want = await api<Answer>('/api/v1/resolve?lon=121.45&lat=31.2')
    expect(want.grid).toBeNull()
    await v.page.locator('[data-test=nearest]').waitFor()
    expect(await v.page.locator('.card h2').innerText()).toBe('不在辖区内')
    expect(await figure(v, 'nearest-distance')).toBe(plain(length(want.nearest!.distance_m)))
    expect(await text(v, 'nearest')).toBe(want.nearest!.grid.name)
    await v.page.locator('[data-test=nearest]').click()
    expect(await text(v, 'code')).toBe(want.nearest!.grid.code)
  })

  it('keeps view and choice in a link', async () => {
    const v = await open()
    await drawn(v.page)
    const { label, code } = grids[100]!.properties
    await v.page.locator('input[role=combobox]').fill(`${label[0]} ${label[1]}`)
    await v.page.keyboard.press('Enter')
    await v.page.waitForFunction((want) => document.querySelector('[data-test=code]')?.textContent === want, code)
    await drawn(v.page)
    const { hash } = new URL(v.page.url())
    const other = await open(`/${hash}`)
    await other.page.waitForFunction((want) => document.querySelector('[data-test=code]')?.textContent === want, code)
    await drawn(other.page)
    const [a, b] = [await pixelOf(v.page, label), await pixelOf(other.page, label)]
    expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeLessThan(2)

    const grid = await open(`/#grid=${code}`)
    await grid.page.waitForFunction((want) => document.querySelector('[data-test=code]')?.textContent === want, code)
    const gone = await open('/#grid=NONE')
    expect(await gone.page.locator('.content [role=alert]').innerText()).toContain('没有编号为 NONE 的网格')
  })

  it('works by keyboard on the map, and names every button', async () => {
    const v = await open()
    await drawn(v.page)
    await v.page.locator('.maplibregl-canvas').focus()
    await v.page.keyboard.press('Enter')
    await v.page.locator('.card h2').waitFor()
    await v.page.locator('[data-test=coordinates]').waitFor()
    const centre = await v.page.evaluate(() => window.lianqin!.map.getCenter())
    const [lon, lat] = await addressPoint(v)
    expect(lon).toBeCloseTo(centre.lng, 5)
    expect(lat).toBeCloseTo(centre.lat, 5)
    const nameless = await v.page.locator('button').evaluateAll((list) => list.filter((b) => !(b.getAttribute('aria-label') ?? b.textContent)?.trim()).length)
    expect(nameless).toBe(0)
    await v.page.locator('.card .close').focus()
    await v.page.keyboard.press('Enter')
    expect(await v.page.locator('.card').count()).toBe(0)
  })

  it('switches theme and language, and remembers', async () => {
    const v = await open()
    await drawn(v.page)
    const html = v.page.locator('html')
    const page = (): Promise<string> => v.page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const dark = await page()
    await v.page.getByLabel('切换为浅色').click()
    expect(await html.getAttribute('data-theme')).toBe('light')
    expect(await page()).not.toBe(dark)
    await v.page.getByLabel('English').click()
    expect(await html.getAttribute('lang')).toBe('en')
    expect(await v.page.locator('.brand').innerText()).toContain(`${grids.length} grids`)
    await drawn(v.page)
    await shoot(v.page, 'light-en-1280x800')
    await v.page.reload()
    await drawn(v.page)
    expect([await html.getAttribute('data-theme'), await html.getAttribute('lang')]).toEqual(['light', 'en'])
  })

  it('tells what the server refused, in its words', async () => {
    const v = await open()
    await drawn(v.page)
    v.allowFailedRequests()
    // The server itself refuses: the question is spoilt on its way.
    await v.page.route('**/api/v1/resolve*', (route) => route.continue({ url: route.request().url().replace(/lat=[^&]+/, 'lat=99') }))
    const { x, y } = await pixelOf(v.page, grids[0]!.properties.label)
    await v.page.mouse.click(x, y)
    const notice = v.page.locator('.notice')
    await notice.waitFor()
    const problem = await api<{ detail: string }>('/api/v1/resolve?lon=121&lat=99')
    expect(await notice.innerText()).toContain('请求有误')
    expect(await notice.innerText()).toContain(problem.detail)
    await v.page.unroute('**/api/v1/resolve*')
    await notice.getByText('重试').click()
    await v.page.locator('[data-test=code]').waitFor()
  })

  it('tells when the server cannot be reached, and goes on by itself when it can', async () => {
    const v = await open()
    await drawn(v.page)
    v.allowFailedRequests()
    await v.page.context().setOffline(true)
    const { x, y } = await pixelOf(v.page, grids[0]!.properties.label)
    await v.page.mouse.click(x, y)
    await v.page.locator('.notice').waitFor()
    expect(await v.page.locator('.notice').innerText()).toContain('连不上服务器')
    await shoot(v.page, 'unreachable-1280x800')
    await v.page.context().setOffline(false)
    await v.page.locator('[data-test=code]').waitFor()
    expect(await text(v, 'code')).toBe(grids[0]!.properties.code)
  })

  it('on a phone, shows the card without hiding the point', async () => {
    const v = await open('/', { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true })
    await drawn(v.page)
    const wide = await v.page.evaluate(() => document.documentElement.scrollWidth)
    expect(wide).toBeLessThanOrEqual(360)
    await shoot(v.page, '360x740')
    await v.page.locator('input[role=combobox]').tap()
    await v.page.locator('.list button').nth(2).tap()
    await v.page.locator('.card .grids').waitFor()
    expect(new URL(v.page.url()).hash).toContain('street=')
    await v.page.locator('.card .close').tap()
    await v.page.getByLabel('显示全区').tap()
    await drawn(v.page)
    const southern = [...grids].sort((a, b) => a.properties.label[1] - b.properties.label[1])[2]!.properties
    const { x, y } = await pixelOf(v.page, southern.label)
    await v.page.touchscreen.tap(x, y)
    await v.page.locator('[data-test=code]').waitFor()
    await drawn(v.page)
    const at = await addressPoint(v)
    const sheet = (await v.page.locator('.content').boundingBox())!
    await expect.poll(async () => (await pixelOf(v.page, at)).y).toBeLessThan(sheet.y)
    await shoot(v.page, 'card-360x740')
  })

  it.each([
    ['1280x800', 1280, 800],
    ['1920x1080', 1920, 1080],
  ])('fits %s', async (name, width, height) => {
    const v = await open('/', { viewport: { width, height } })
    await drawn(v.page)
    await shoot(v.page, name)
    const { label } = grids[60]!.properties
    await v.page.locator('input[role=combobox]').fill(`${label[0]}, ${label[1]}`)
    await v.page.keyboard.press('Enter')
    await v.page.locator('[data-test=code]').waitFor()
    await drawn(v.page)
    await shoot(v.page, `card-${name}`)
    const overflow = await v.page.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight])
    expect(overflow).toEqual([0, 0])
  })
})
