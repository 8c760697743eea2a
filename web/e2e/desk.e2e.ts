import { Buffer } from 'node:buffer'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Visit } from './browser'
import { launch, shoot } from './browser'
import type { Service } from './service'
import { startService } from './service'
import { useVisits } from './visits'

/** An autonomous grid of the demonstration district, and an event whose lead is the same everywhere. */
const GRID = '310114103A52'
const ITEM = '0707'
const LEAD = 'D17'
const MANY = 10_000

let browser: Browser
let service: Service
const visits = useVisits(() => ({ browser, service }), { viewport: { width: 1366, height: 768 } })

beforeAll(async () => {
  browser = await launch()
  service = await startService({
    admin: 'administrator', lin: 'district-operator', lu: 'district-operator', cun: `village-station village:${GRID}`, jiao: `department-handler department:${LEAD}`, kan: 'viewer',
  })
})
afterAll(async () => {
  await browser?.close()
  await service?.stop()
})
const openAs = (login: string, hash = '#/cases', options: BrowserContextOptions = {}): Promise<Visit> =>
  visits.openAs(login, `/desk/${hash}`, options, (v) => v.allowFailedRequests())

/** Sends as whoever is signed in on the page. */
async function post<T>(page: Page, path: string, data: unknown, headers: Record<string, string> = {}): Promise<T> {
  const { csrf } = (await (await page.request.get('/api/v1/session')).json()) as { csrf: string }
  const answer = await page.request.post(path, { headers: { 'X-CSRF-Token': csrf, ...headers }, data: data as never, timeout: 120_000 })
  expect([path, answer.status(), answer.ok() ? '' : await answer.text()]).toEqual([path, answer.status() === 201 ? 201 : 200, ''])
  return (await answer.json()) as T
}

interface Opened {
  readonly case: { readonly id: number }
}

async function report(page: Page, text: string): Promise<number> {
  const grid = (await (await page.request.get(`/api/v1/grids/${GRID}`)).json()) as { properties?: { label: [number, number] }; label?: [number, number] }
  const [lon, lat] = (grid.properties?.label ?? grid.label)!
  const opened = await post<Opened>(page, '/api/v1/cases', { item: ITEM, text, position: { lon, lat, accuracy_m: 5, address: '方泰村 1 号' } })
  return opened.case.id
}

const rows = (page: Page): Promise<string[]> => page.locator('[data-test=case-row]').allInnerTexts()
const state = (page: Page): Promise<string> => page.locator('[data-test=state]').innerText()
const total = (page: Page): Promise<string> => page.locator('[data-test=total]').innerText()

/** A photo of one pixel. */
const photo = { name: 'photo.png', mimeType: 'image/png', buffer: Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64') }

/** Presses an action's letter in the case that is open, and sends its form. */
async function take(page: Page, letter: string, withPhoto = false): Promise<void> {
  await page.locator(`[data-test=actions] [aria-keyshortcuts=${letter}]`).waitFor()
  await page.keyboard.press(letter)
  const form = page.locator('[data-test=action-form]')
  await form.waitFor()
  if (withPhoto) {
    await form.locator('[data-test=file]').setInputFiles(photo)
    await expect.poll(() => form.locator('.sent li').count()).toBe(1)
  }
  await expect.poll(() => form.locator('[data-test=submit]').isDisabled()).toBe(false)
  await page.keyboard.press('Control+Enter')
  await form.waitFor({ state: 'detached' })
}

describe('the desk', () => {
  it('leads a case from reported to closed by the keyboard alone, by those whose business it is', async () => {
    const [cun, lin, jiao] = await Promise.all([openAs('cun'), openAs('lin'), openAs('jiao')])
    await expect.poll(() => total(lin.page)).toBe('0 件')
    await expect.poll(() => lin.page.locator('[data-test=desk-link]').innerText()).toBe('实时')
    const id = await report(cun.page, '消防通道停满车辆')
    const one = `#case-${id}`
    // It comes by itself to who decides, and not to who has no part in it yet.
    await lin.page.locator(one).waitFor()
    await cun.page.locator(one).waitFor()
    expect(await rows(jiao.page)).toEqual([])

    await lin.page.locator('[data-test=list]').focus()
    await lin.page.keyboard.press('j')
    await lin.page.keyboard.press('Enter')
    for (const [letter, next] of [['a', '待立案'], ['f', '待派遣'], ['d', '待接收']] as const) {
      await take(lin.page, letter)
      // The only case of the queue: it closes, and is opened again.
      await lin.page.locator(one).getByText(next).waitFor()
      await lin.page.keyboard.press('Enter')
      await expect.poll(() => state(lin.page)).toBe(next)
    }
    expect(await lin.page.locator('[data-test=why]').innerText()).toContain('距最近边界')
    await shoot(lin.page, 'desk-case-1366x768')

    await jiao.page.locator(one).waitFor()
    await jiao.page.locator('[data-test=list]').focus()
    await jiao.page.keyboard.press('Enter')
    expect(await jiao.page.locator('[data-test=actions]').innerText()).not.toContain('派遣')
    await take(jiao.page, 't')
    await jiao.page.locator(one).getByText('处置中').waitFor()
    await jiao.page.keyboard.press('Enter')
    await take(jiao.page, 'd', true)

    await cun.page.locator(one).getByText('待核查').waitFor()
    await cun.page.locator('[data-test=list]').focus()
    await cun.page.keyboard.press('Enter')
    await expect.poll(() => cun.page.locator('[data-test=photos] img').count()).toBe(1)
    await take(cun.page, 'c', true)

    // Who has had it open all the while sees what others did.
    await expect.poll(() => lin.page.locator('[data-test=stale]').innerText()).toContain('核查通过')
    await take(lin.page, 'c')
    await expect.poll(() => total(lin.page)).toBe('0 件')
    await lin.page.goto(`${service.url}/desk/?still=1#/cases/${id}?closed=1`)
    await expect.poll(() => state(lin.page)).toBe('已结案')
    const history = await lin.page.locator('[data-test=history]').innerText()
    for (const step of ['上报', '受理', '立案', '派遣', '接收', '处置完成', '核查通过', '结案']) expect(history).toContain(step)
  })

  it('keeps what was typed when somebody else was faster, and shows who else looks', async () => {
    const [lin, lu] = await Promise.all([openAs('lin'), openAs('lu')])
    lin.allowFailedRequests()
    const id = await report((await openAs('cun')).page, '路口停车')
    for (const v of [lin, lu]) {
      await v.page.locator(`#case-${id}`).waitFor()
      await v.page.locator('[data-test=list]').focus()
      await v.page.keyboard.press('Enter')
    }
    await expect.poll(() => lin.page.locator('[data-test=viewers]').innerText()).toContain('lu')
    await lin.page.locator('[data-test=actions] [aria-keyshortcuts=e]').waitFor()
    await lin.page.keyboard.press('e')
    await lin.page.keyboard.type('不属于本区职责')
    await lu.page.locator('[data-test=actions] [aria-keyshortcuts=t]').waitFor()
    await lu.page.keyboard.press('t')
    await lu.page.locator('[data-test=action-form]').waitFor()
    await lu.page.keyboard.type('已电话联系')
    await lu.page.keyboard.press('Control+Enter')
    await expect.poll(() => lin.page.locator('[data-test=stale]').innerText()).toContain('备注')
    expect(await lin.page.locator('[data-test=action-form] [data-test=text]').inputValue()).toBe('不属于本区职责')
    await lin.page.keyboard.press('Control+Enter')
    await expect.poll(() => total(lin.page)).toBe('0 件')
  })

  it('does one action for many, and keeps what was refused', async () => {
    const cun = await openAs('cun')
    const lin = await openAs('lin')
    await expect.poll(() => lin.page.locator('[data-test=desk-link]').innerText()).toBe('实时')
    const ids: number[] = []
    for (const text of ['其一', '其二', '其三']) ids.push(await report(cun.page, text))
    for (const id of ids) await lin.page.locator(`#case-${id}`).waitFor()
    await lin.page.locator('[data-test=list]').focus()
    await lin.page.keyboard.press('Control+a')
    const batch = lin.page.locator('[data-test=batch]')
    await batch.locator('[data-batch=accept]').waitFor()
    await lin.page.keyboard.press('a')
    await lin.page.keyboard.press('Control+Enter')
    await expect.poll(() => batch.allInnerTexts().then((texts) => texts.join())).not.toContain('正在办理')
    for (const id of ids) await lin.page.locator(`#case-${id}`).getByText('待立案').waitFor()
    await shoot(lin.page, 'desk-batch-1366x768')
  })

  it('is as good as empty to a role that has no part in it', async () => {
    const v = await openAs('kan')
    await expect.poll(() => v.page.locator('[role=alert]').innerText()).toContain('您的角色不能使用这一栏')
  })

  it('scrolls ten thousand cases with a few rows in the document, and reaches every one', async () => {
    const admin = await openAs('admin', '#/figures')
    // A narrow page and a high one: many rows a frame, and no map to draw beside them.
    const lin = await openAs('lin', '#/cases', { viewport: { width: 390, height: 2400 } })
    const id = await report((await openAs('cun')).page, '样本')
    const { history } = (await (await lin.page.request.get(`/api/v1/cases/${id}`)).json()) as { history: { at: string; clocks: { due: { at: string; set: string } }[] }[] }
    const first = history[0]!
    const later = (at: string, s: number): string => new Date(Date.parse(at) - s * 1000).toISOString()
    const lines = Array.from({ length: MANY }, (_, i) => {
      const s = MANY - i
      const clocks = first.clocks.map((c) => ({ ...c, due: { ...c.due, at: later(c.due.at, s), set: later(c.due.set, s) } }))
      return JSON.stringify({ source: 'many', number: String(i), entries: [{ ...first, case: 0, at: later(first.at, s), clocks }] })
    })
    await post(admin.page, '/api/v1/cases/import', lines.join('\n'), { 'Content-Type': 'application/x-ndjson' })
    await lin.page.reload()
    const count = (): Promise<number> => total(lin.page).then((text) => parseInt(text, 10))
    await expect.poll(count, { timeout: 60_000 }).toBeGreaterThan(MANY)
    const all = await count()

    const list = lin.page.locator('[data-test=list]')
    const seen = await list.evaluate(async (box, last) => {
      const frame = (): Promise<void> => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))
      const places = new Set<number>()
      let most = 0
      const look = (): void => {
        const shown = box.querySelectorAll('[data-test=case-row]')
        most = Math.max(most, shown.length)
        for (const row of shown) places.add(Number(row.getAttribute('aria-posinset')))
      }
      const step = box.clientHeight + 4 * 56 // a few rows beyond those in sight are drawn
      for (let top = 0; top < box.scrollHeight; top += step) {
        box.scrollTop = top
        await frame()
        look()
      }
      return { most, reached: places.size, ends: places.has(1) && places.has(last) }
    }, all)
    expect(seen).toEqual({ most: seen.most, reached: all, ends: true })
    expect(seen.most).toBeLessThan(80)
    // And the keyboard: to the end, and back.
    await list.focus()
    await lin.page.keyboard.press('End')
    await expect.poll(() => list.getAttribute('aria-activedescendant').then((of) => lin.page.locator(`#${of}`).getAttribute('aria-posinset'))).toBe(String(all))
    await lin.page.keyboard.press('Home')
    await expect.poll(() => list.getAttribute('aria-activedescendant').then((of) => lin.page.locator(`#${of}`).getAttribute('aria-posinset'))).toBe('1')
  }, 400_000) // some hundred frames, on a machine that draws them by itself

  it('is list, then case, on a phone', async () => {
    const v = await openAs('cun', '#/cases', { viewport: { width: 390, height: 844 }, hasTouch: true })
    const row = v.page.locator('[data-test=case-row]').first()
    await row.waitFor()
    await row.tap()
    await v.page.locator('[data-test=case] h2').waitFor()
    expect(await v.page.locator('[data-test=list]').isVisible()).toBe(false)
    await shoot(v.page, 'desk-phone-390x844')
    expect(await v.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0)
    await v.page.getByRole('button', { name: '返回列表' }).tap()
    await row.waitFor()
  })
})
