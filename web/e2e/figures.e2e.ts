/** Every published figure of the demonstration year, read from the page; and the way from a figure to a case. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch, shoot } from './browser'
import type { Service } from './service'
import { startService } from './service'
import { useVisits } from './visits'

/** A page of the whole year takes its time on a busy machine. */
const PATIENT = { timeout: 30_000 }
const YEAR = 'from=2025-01-01&to=2025-12-31&as_of=end'

let browser: Browser
let service: Service
const visits = useVisits(() => ({ browser, service }), { viewport: { width: 1366, height: 768 } })

beforeAll(async () => {
  browser = await launch()
  // Both years come in by the public import.
  service = await startService({ admin: 'administrator', ops: 'district-operator', own: 'street-operator street:310114103', eye: 'viewer' }, (program, database, folder) => {
    for (const year of [['--before'], []]) {
      execFileSync(program, ['demo', 'cases', ...year, '--out', 'year.ndjson.zst'], { cwd: folder, stdio: 'ignore' })
      execFileSync(program, ['cases', 'import', 'year.ndjson.zst', '--database', database], { cwd: folder, stdio: 'ignore' })
    }
  })
}, 900_000)
afterAll(async () => {
  await browser?.close()
  await service?.stop()
})
const openAs = async (login: string, hash: string, options: BrowserContextOptions = {}): Promise<Page> => (await visits.openAs(login, `/desk/#/figures${hash}`, options)).page

const textOf = (page: Page, test: string): Promise<string> => page.locator(`[data-test=${test}]`).innerText()
const spaced = (text: string): string => text.replace(/\s+/g, ' ').trim()

describe('the published year', () => {
  it('is on the page, to the digit', async () => {
    const page = await openAs('ops', `?${YEAR}&by=topic&columns=intake`)
    await page.locator('[data-test=figures]').waitFor()
    expect(await textOf(page, 'card-accepted')).toBe('298,694')
    expect(await textOf(page, 'card-parts')).toBe('网格案件 287,894 · 12345 工单 10,800')
    expect(await textOf(page, 'card-kinds')).toBe('事件 270,082 · 部件 17,812')
    for (const [card, rate, base, fraction] of [
      ['card-disposal-of-accepted', '99.77 %', '按受理', '287,241 / 287,894'],
      ['card-orders-finished', '95.38 %', '按受理', '10,301 / 10,800'],
      ['card-orders-on-time', '94.52 %', '按受理', '10,208 / 10,800'],
      ['card-orders-on-time-of-finished', '99.10 %', '按办结', '10,208 / 10,301'],
    ] as const) {
      expect(spaced(await textOf(page, card))).toContain(`${rate} ${base} ${fraction}`)
    }
    // Published as −52.8 %; the others have two decimals there, too.
    for (const [topic, change] of [['robbery', '▼ −52.78 %'], ['enforcement', '▼ −37.68 %'], ['stalls', '▼ −44.65 %'], ['medicine', '▼ −50.41 %']] as const) {
      expect(await page.locator(`[data-test=card-topics] [data-key=${topic}] b`).innerText()).toBe(change)
      expect(spaced(await page.locator(`[data-test=figures] tr[data-key=${topic}]`).innerText())).toContain(change.replace('▼ ', ''))
    }
    expect(await textOf(page, 'stand')).toContain('2025-01-01 至 2025-12-31 · 截止 2026-01-01 00:00 · 规则第 1 版 · 同比期间 2024-01-01 至 2024-12-31')
    await shoot(page, 'figures-1366x768')
  })

  it('compares twelve streets and twelve months, sorts, and says numerators and denominators', async () => {
    const page = await openAs('ops', `?${YEAR}&by=street&columns=disposal`)
    const rows = page.locator('[data-test=figures] tbody tr')
    await expect.poll(() => rows.count(), PATIENT).toBe(13) // and all together
    expect(await page.locator('[data-test=street-bars] li').count()).toBe(12)
    expect(await page.locator('[data-test=month-columns] g').count()).toBe(12)
    await page.locator('[data-test=fractions]').check()
    expect(spaced(await rows.nth(0).innerText())).toContain('99.77 % 287,241 / 287,894')
    const columns = page.locator('[data-test=figures] thead th.figure')
    await columns.nth(1).getByRole('button').click()
    expect(await columns.nth(1).getAttribute('aria-sort')).toBe('descending')
    const rates = await page.locator('[data-test=figures] tbody tr:not(.whole) td.figure:nth-of-type(3) a').allInnerTexts()
    expect(rates.map(parseFloat)).toEqual(rates.map(parseFloat).sort((a, b) => b - a))
    // Street by month: a street's own months.
    await page.locator('[data-test=figures] tbody tr:not(.whole) th a').first().click()
    await expect.poll(() => rows.count(), PATIENT).toBe(13)
    expect(await rows.nth(1).locator('th').innerText()).toContain('2025-01')
    expect(page.url()).toMatch(/street=310114\d{3}/)
  })

  it('leads from a figure to a case', async () => {
    const page = await openAs('ops', `?${YEAR}&by=topic`)
    await page.locator('[data-test=figures] tr[data-key=robbery] td.figure a').nth(1).click()
    await expect.poll(() => textOf(page, 'total'), PATIENT).toContain('17')
    const cases = page.locator('[data-test=figure-cases] tbody tr')
    expect(await cases.count()).toBe(17)
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: '导出 CSV' }).click()
    const file = readFileSync(await (await download).path(), 'utf8')
    expect(file.charCodeAt(0)).toBe(0xfeff)
    expect(file.trim().split('\n').length).toBe(18)
    const id = await cases.first().locator('a').innerText()
    await cases.first().locator('a').click()
    await expect.poll(() => page.url(), PATIENT).toContain(`#/cases/${id}`)
  })

  it('pages through many cases', async () => {
    const page = await openAs('ops', `/accepted/numerator?${YEAR}`)
    await expect.poll(() => textOf(page, 'total'), PATIENT).toContain('298,694')
    const first = await page.locator('[data-test=figure-cases] tbody a').first().innerText()
    await page.locator('[data-test=next]').click()
    await expect.poll(() => page.locator('[data-test=figure-cases] tbody a').first().innerText(), PATIENT).not.toBe(first)
    expect(await page.locator('[data-test=figure-cases] tbody tr').count()).toBe(100)
  })

  it('shows a street its own, and a viewer no cases', async () => {
    const own = await openAs('own', `?${YEAR}&by=street`)
    await expect.poll(() => own.locator('[data-test=figures] tbody tr').count(), PATIENT).toBe(2)
    const eye = await openAs('eye', `?${YEAR}&by=street`)
    await expect.poll(() => eye.locator('[data-test=figures] tbody tr').count(), PATIENT).toBe(13)
    expect(await eye.locator('[data-test=figures] td a').count()).toBe(0)
  })

  it('fits in English, in light, on a large screen', async () => {
    const page = await openAs('ops', `?${YEAR}&by=month&columns=orders`, { viewport: { width: 1920, height: 1080 } })
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('button', { name: /light/i }).click()
    await expect.poll(() => textOf(page, 'card-parts'), PATIENT).toBe('287,894 grid cases · 10,800 12345 orders')
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
    await shoot(page, 'figures-1920x1080-light-en')
  })
})
