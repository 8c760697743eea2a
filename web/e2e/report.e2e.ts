import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Visit } from './browser'
import { launch, shoot } from './browser'
import type { Service } from './service'
import { startService } from './service'
import { useVisits } from './visits'

let browser: Browser
let service: Service
const { open } = useVisits(() => ({ browser, service }))
let middle: [number, number]

interface Form {
  names: { name: string; at: [number, number]; street: boolean }[]
}

beforeAll(async () => {
  browser = await launch()
  service = await startService({ admin: 'administrator' })
  const form = (await (await fetch(`${service.url}/api/v1/public/report`)).json()) as Form
  middle = form.names.find((n) => !n.street)!.at
})
afterAll(async () => {
  await browser?.close()
  await service?.stop()
})
async function phone(at: [number, number], options: BrowserContextOptions = {}, path = '/report/'): Promise<Visit> {
  const v = await open(path, {
    viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true,
    geolocation: { longitude: at[0], latitude: at[1], accuracy: 8 }, permissions: ['geolocation'], ...options,
  })
  return v
}

const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)

describe('a citizen on a phone', () => {
  it('reports, and follows it without an account', async () => {
    const { page } = await phone(middle)
    await page.locator('[data-test=locate]').click()
    await page.locator('[data-test=inside]').waitFor()
    await page.locator('[data-test=search]').fill('路灯')
    await page.locator('[data-test=choices] button').first().click()
    expect(await page.locator('[data-test=chosen]').innerText()).toContain('路灯')
    await page.getByLabel('说几句（选填）').fill('晚上不亮')
    await page.waitForFunction(() => window.lianqin?.map.loaded())
    expect(await overflow(page)).toBe(0)
    await shoot(page, 'report-form')
    await page.locator('[data-test=send]').click()
    await page.locator('[data-test=done]').waitFor()
    expect(await page.locator('.number').innerText()).toBe('1')
    await shoot(page, 'report-done')
    await page.getByRole('link', { name: '查看进度' }).click()
    await page.locator('[data-test=status]').waitFor()
    expect(await page.locator('[data-test=status]').innerText()).toContain('已收到，等待受理')
    expect(page.url()).toContain('#lqr_')
    await shoot(page, 'report-follow')
  })

  it('is asked whether it is the same as one near by, and adds to that', async () => {
    const { page } = await phone(middle)
    await page.locator('[data-test=locate]').click()
    await page.locator('[data-test=search]').fill('路灯')
    await page.locator('[data-test=choices] button').first().click()
    await page.locator('[data-test=same]').waitFor()
    await page.locator('[data-test=send]').click()
    expect(await page.locator('[data-test=lacking]').innerText()).toContain('同一件')
    await shoot(page, 'report-same')
    await page.getByRole('button', { name: '是，合并到那一件' }).click()
    await page.locator('[data-test=send]').click()
    await page.locator('[data-test=done]').waitFor()
    expect(await page.locator('[data-test=done]').innerText()).toContain('已合并')
    expect(await page.locator('.number').innerText()).toBe('1')
  })

  it('keeps a report while the service is away, and sends it once', async () => {
    const v = await phone(middle)
    v.allowFailedRequests()
    const { page } = v
    await page.locator('[data-test=locate]').click()
    await page.locator('[data-test=inside]').waitFor()
    await page.locator('[data-test=search]').fill('摆摊')
    await page.locator('[data-test=choices] button').first().click()
    // The report arrives, and its answer is lost.
    await page.route('**/api/v1/public/reports', async (route) => {
      await route.fetch()
      await route.abort()
    }, { times: 1 })
    await page.locator('[data-test=send]').click()
    await page.locator('[data-test=waiting]').waitFor()
    await page.locator('[data-test=offline]').waitFor()
    await shoot(page, 'report-waiting')
    await page.reload()
    await page.locator('[data-test=waiting]').waitFor({ state: 'detached' })
    const link = page.getByRole('link', { name: /^编号/ }).first()
    expect(await link.innerText()).toBe('编号 2')
    const next = await fetch(`${service.url}/open311/v2/requests.json`)
    expect(((await next.json()) as unknown[]).length).toBe(2)
  })

  it('is told politely that a place is outside the district', async () => {
    const { page } = await phone([121.8, 31.1])
    await page.locator('[data-test=locate]').click()
    const outside = page.locator('[data-test=outside]')
    await outside.waitFor()
    expect(await outside.innerText()).toMatch(/不在本区.*km|不在本区.*公里/)
    await page.getByLabel('说几句（选填）').fill('x')
    await page.locator('[data-test=send]').click()
    expect(await page.locator('[data-test=lacking]').innerText()).toContain('不在本区')
    await shoot(page, 'report-outside')
  })

  it('reads it in English, in the dark, and on a desk', async () => {
    const { page } = await phone(middle, { colorScheme: 'dark', viewport: { width: 1366, height: 768 }, isMobile: false })
    await page.getByRole('button', { name: 'English' }).click()
    expect(await page.locator('h1').innerText()).toBe('Report a problem')
    await page.locator('[data-test=search]').fill('light')
    expect(await page.locator('[data-test=choices] button').first().innerText()).toContain('light')
    await page.locator('[data-test=open-map]').click()
    await page.waitForFunction(() => window.lianqin?.map.loaded())
    expect(await overflow(page)).toBe(0)
    await shoot(page, 'report-english')
  })
})
