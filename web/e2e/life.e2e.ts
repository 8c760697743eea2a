/** The life of one case: from a phone in the street to its end, by six who each see only their own. */
import { Buffer } from 'node:buffer'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch, shoot } from './browser'
import type { Service } from './service'
import { startService } from './service'
import { useVisits } from './visits'

/** An autonomous grid of Anting, and an item whose lead is the same everywhere. */
const GRID = '310114103A52'
const STREET = '310114103'
const OTHER_STREET = '310114106'
const LEAD = 'D17'
const OTHER_LEAD = 'D13'

let browser: Browser
let service: Service
const { open, openAs } = useVisits(() => ({ browser, service }))

beforeAll(async () => {
  browser = await launch()
  service = await startService({
    admin: 'administrator', shou: `acceptance-clerk street:${STREET}`, zhang: `shift-leader street:${STREET}`, pai: `dispatcher street:${STREET}`,
    jiao: `department-handler department:${LEAD}`, cun: `village-station village:${GRID}`,
    ta: `street-operator street:${OTHER_STREET}`, bie: `department-handler department:${OTHER_LEAD}`,
  })
})
afterAll(async () => {
  await browser?.close()
  await service?.stop()
})
const openDesk = async (login: string): Promise<Page> => (await openAs(login, '/desk/#/cases', { viewport: { width: 1366, height: 768 } })).page

async function phone(at: [number, number], options: BrowserContextOptions = {}): Promise<Page> {
  const v = await open('/report/', {
    viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true,
    geolocation: { longitude: at[0], latitude: at[1], accuracy: 5 }, permissions: ['geolocation'], ...options,
  })
  return v.page
}

const photo = { name: 'photo.png', mimeType: 'image/png', buffer: Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64') }
const state = (page: Page): Promise<string> => page.locator('[data-test=state]').innerText()

/** Opens the case from the list, where it has come by itself. */
async function openCase(page: Page, id: string): Promise<void> {
  if (await page.locator('[data-test=case] h2').count()) return
  await page.locator(`#case-${id}`).click()
  await page.locator('[data-test=case] h2').waitFor()
}

/** Takes an action on the case, as one who has just been given it, and says which actions were offered. */
async function take(page: Page, id: string, action: string, { text = '', withPhoto = false } = {}): Promise<string[]> {
  await page.locator(`#case-${id}`).waitFor()
  await openCase(page, id)
  const button = page.locator(`[data-action=${action}]`)
  await button.waitFor()
  const offered = await page.locator('[data-test=actions] [data-action]').evaluateAll((all) => all.map((b) => b.getAttribute('data-action') ?? ''))
  await button.click()
  const form = page.locator('[data-test=action-form]')
  await form.waitFor()
  if (text) await form.locator('[data-test=text]').fill(text)
  if (withPhoto) {
    await form.locator('[data-test=file]').setInputFiles(photo)
    await expect.poll(() => form.locator('.sent li').count()).toBe(1)
  }
  await expect.poll(() => form.locator('[data-test=submit]').isDisabled()).toBe(false)
  await form.locator('[data-test=submit]').click()
  await form.waitFor({ state: 'detached' })
  return offered
}

/** What the API answers whoever is signed in on the page. */
const status = async (page: Page, path: string): Promise<number> => (await page.request.get(path)).status()

describe('a case', () => {
  it('goes from a phone to its end, by accounts that each see only their own', async () => {
    const [shou, zhang, pai, jiao, cun] = await Promise.all(['shou', 'zhang', 'pai', 'jiao', 'cun'].map(openDesk)) as [Page, Page, Page, Page, Page]
    const grid = (await (await shou.request.get(`/api/v1/grids/${GRID}`)).json()) as { properties?: { label: [number, number] }; label?: [number, number] }

    // A citizen, without an account.
    const citizen = await phone((grid.properties?.label ?? grid.label)!)
    await citizen.locator('[data-test=locate]').click()
    await citizen.locator('[data-test=inside]').waitFor()
    await citizen.locator('[data-test=search]').fill('违停')
    await citizen.locator('[data-test=choices] button').first().click()
    await citizen.getByLabel('说几句（选填）').fill('消防通道停满车辆')
    await citizen.locator('[data-test=photo]').setInputFiles(photo)
    await expect.poll(() => citizen.locator('button.photo').count()).toBe(1)
    await citizen.locator('[data-test=send]').click()
    await citizen.locator('[data-test=done]').waitFor()
    const id = (await citizen.locator('.number').innerText()).trim()
    const follow = await citizen.getByRole('link', { name: '查看进度' }).getAttribute('href')

    // Before it is filed somebody looks whether it is there.
    await shou.locator(`#case-${id}`).waitFor()
    await expect.poll(() => jiao.locator('[data-test=total]').innerText()).toBe('0 件')
    expect(await status(jiao, `/api/v1/cases/${id}`)).toBe(404)
    const offered = await take(shou, id, 'ask-verification')
    expect(offered).not.toContain('file')
    expect(offered).not.toContain('dispatch')
    await take(cun, id, 'verify', { withPhoto: true })
    await take(shou, id, 'accept')
    expect(await take(zhang, id, 'file')).not.toContain('dispatch')
    expect(await take(pai, id, 'dispatch')).not.toContain('file')
    await shoot(pai, 'life-dispatched-1366x768')

    // The department's, and no other's.
    expect(await take(jiao, id, 'take')).not.toContain('dispatch')
    await take(jiao, id, 'dispose', { text: '已驶离', withPhoto: true })
    const others = await Promise.all([openDesk('ta'), openDesk('bie')])
    for (const page of others) {
      await expect.poll(() => page.locator('[data-test=total]').innerText()).toBe('0 件')
      expect(await status(page, `/api/v1/cases/${id}`)).toBe(404)
    }
    expect(await status(jiao, `/api/v1/cases/${id}`)).toBe(200)

    // Looked at by another than who did it, and closed.
    await take(cun, id, 'check', { withPhoto: true })
    await take(zhang, id, 'close')
    await zhang.goto(`${service.url}/desk/?still=1#/cases/${id}?closed=1`)
    await expect.poll(() => state(zhang)).toBe('已结案')
    const history = await zhang.locator('[data-test=history]').innerText()
    for (const step of ['上报', '核实', '核实属实', '受理', '立案', '派遣', '接收', '处置完成', '核查通过', '结案']) expect(history).toContain(step)
    await expect.poll(() => zhang.locator('[data-test=photos] img').count()).toBe(4)
    await shoot(zhang, 'life-closed-1366x768')

    await citizen.goto(new URL(follow!, service.url).href)
    await citizen.reload()
    await expect.poll(() => citizen.locator('[data-test=status]').innerText()).toContain('已办结')
    await shoot(citizen, 'life-citizen-390x844')
  })
})
