/** A district sets its casework: a limit is edited, a bad row is told by its line, the register is entered. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch, shoot } from './browser'
import type { Service } from './service'
import { startService } from './service'
import { useVisits } from './visits'

let browser: Browser
let service: Service
const visits = useVisits(() => ({ browser, service }), { viewport: { width: 1366, height: 768 } })

beforeAll(async () => {
  browser = await launch()
  service = await startService({ admin: 'administrator', ops: 'district-operator', eye: 'viewer' })
}, 120_000)
afterAll(async () => {
  await browser?.close()
  await service?.stop()
})
/** What is refused on it is part of the test. */
const openAs = async (login: string, part: string): Promise<Page> => (await visits.openAs(login, `/desk/#/settings/${part}`, {}, (v) => v.allowFailedRequests())).page

const textOf = (page: Page, test: string): Promise<string> => page.locator(`[data-test=${test}]`).innerText()
const file = (name: string, text: string) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) })

describe('the catalogue', () => {
  it('gets its next version by an edit, and tells a bad row by its line', async () => {
    const page = await openAs('admin', 'catalogue')
    const row = page.locator('[data-test=items] tr[data-item]').first()
    await row.locator('[data-test=edit]').click()
    await page.locator('[data-test=response]').fill('47')
    await shoot(page, 'settings-edit-1366x768')
    await page.locator('[data-test=save]').click()
    await expect.poll(() => textOf(page, 'said')).toBe('第 2 版已建立')
    await expect.poll(() => row.innerText()).toContain('47 分钟')
    await page.locator('[data-test=compare]').selectOption('1')
    await expect.poll(() => textOf(page, 'diff')).toContain('1 处不同')
    expect(await textOf(page, 'diff')).toContain('47 min')
    await shoot(page, 'settings-catalogue-1366x768')

    const csv = await page.evaluate(async () => (await fetch('/api/v1/catalogue?version=2&table=items')).text())
    await page.locator('[data-test=import] summary').click()
    await page.locator('[data-test=items-file]').setInputFiles(file('items.csv', csv.replace(',47,', ',soon,')))
    await page.locator('[data-test=import] [data-test=enter]').click()
    await expect.poll(() => textOf(page, 'fault')).toMatch(/line 2, column response_minutes/)

    await page.evaluate(() => localStorage.setItem('lianqin.language', 'en'))
    await page.reload()
    await page.locator('[data-test=items]').waitFor()
    await shoot(page, 'settings-catalogue-en-1366x768')
  })

  it('is not changed by who only reads it', async () => {
    const page = await openAs('eye', 'catalogue')
    await page.locator('[data-test=items]').waitFor()
    expect([await page.locator('[data-test=edit]').count(), await page.locator('[data-test=import]').count()]).toEqual([0, 0])
  })
})

describe('the rest', () => {
  it('enters the whole register of standards', async () => {
    const page = await openAs('admin', 'standards')
    await expect.poll(() => textOf(page, 'counted')).toContain('现有 5 项，其中 0 项只有编号')
    const rest = Array.from({ length: 23 }, (_, i) => `B${String(i + 6).padStart(2, '0')},1,2021-05-01,\n`).join('')
    await page.locator('[data-test=import] summary').click()
    await page.locator('[data-test=file]').setInputFiles(file('standards.csv', `code,version,from,name\nB03,2,soon,x\n`))
    await page.locator('[data-test=enter]').click()
    await expect.poll(() => textOf(page, 'fault')).toContain('standards line 2, column from')
    await page.locator('[data-test=file]').setInputFiles(file('standards.csv', `code,version,from,name\nB03,2,2025-06-01,信息指挥员操作规程（修订）\n${rest}`))
    await page.locator('[data-test=enter]').click()
    await expect.poll(() => textOf(page, 'counted')).toContain('现有 28 项，其中 23 项只有编号')
    expect(await page.locator('[data-test=standards] [data-code=B03]').innerText()).toContain('第 2 版 · 自 2025-06-01')
    await shoot(page, 'settings-standards-1366x768')
  })

  it('shows the year, and switches the mode for a reason', async () => {
    const page = await openAs('ops', 'calendar')
    await expect.poll(() => page.locator('[data-test=months] section').count()).toBe(12)
    await shoot(page, 'settings-calendar-1366x768')
    await page.goto(page.url().replace('calendar', 'mode'))
    await expect.poll(() => textOf(page, 'mode')).toContain('从未切换')
    await page.locator('[data-test=reason]').fill('台风演练')
    await page.locator('[data-test=turn]').click()
    await expect.poll(() => textOf(page, 'mode')).toMatch(/应急[\s\S]*ops · 台风演练/)
    expect(await page.locator('[data-test=turns] tbody tr').count()).toBe(1)
    await shoot(page, 'settings-mode-1366x768')
    for (const part of ['rules', 'precedents', 'departments']) {
      await page.goto(page.url().replace(/settings\/.*/, `settings/${part}`))
      await page.locator(`[data-test=${part === 'rules' ? 'joint' : part === 'departments' ? part : 'none'}], .panel.pad.dim`).first().waitFor()
      await shoot(page, `settings-${part}-1366x768`)
    }
  })
})
