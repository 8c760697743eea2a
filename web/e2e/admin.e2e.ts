import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawn, launch, shoot } from './browser'
import type { Redrawn } from './redraw'
import { multi, redraw } from './redraw'
import type { Service } from './service'
import { startService } from './service'
import { signIn, useVisits } from './visits'

let browser: Browser
let service: Service
const { open, openAs } = useVisits(() => ({ browser, service }))
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lianqin-e2e-files-'))
  browser = await launch()
  service = await startService({ admin: 'administrator', hua: 'planner', shen: 'approver', kan: 'viewer' })
})
afterAll(async () => {
  await browser?.close()
  await service?.stop()
  rmSync(folder, { recursive: true, force: true })
})
const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth)

/** Buttons and fields that a screen reader could not name. */
const nameless = (page: Page): Promise<string[]> => page.locator('button, a, input:not([hidden]), select').evaluateAll((list) =>
  list.filter((e) => {
    const input = e as HTMLInputElement
    return !e.getAttribute('aria-hidden') && !(e.getAttribute('aria-label') ?? '').trim() && !e.textContent?.trim() && !(input.labels?.length)
  }).map((e) => e.outerHTML.slice(0, 120)))

describe('signing in', () => {
  it('is asked for, tells a wrong password from nothing, and leads back', async () => {
    const v = await open('/admin/#/audit')
    v.allowFailedRequests()
    await v.page.waitForURL('**/login/**')
    expect(new URL(v.page.url()).searchParams.get('next')).toContain('#/audit')
    await signIn(v.page, 'admin', 'not the password')
    await expect.poll(() => v.page.locator('[data-test=said]').innerText()).toContain('账号或密码不正确')
    expect(await v.page.getByLabel('密码', { exact: true }).inputValue()).toBe('')
    expect(await nameless(v.page)).toEqual([])
    await shoot(v.page, 'login-wrong-1280x800')
    await signIn(v.page, 'admin', service.password)
    await v.page.waitForURL('**/admin/**')
    expect(new URL(v.page.url()).hash).toBe('#/audit')
    await expect.poll(() => v.page.locator('[data-test=audit]').innerText()).toContain('登录被拒')
    expect(await v.page.locator('[data-test=who]').innerText()).toContain('系统管理员')
    await v.page.locator('[data-test=sign-out]').click()
    await v.page.waitForURL('**/login/**')
  })

  it('counts down when there were too many attempts', async () => {
    const v = await open('/login/')
    v.allowFailedRequests()
    for (let i = 0; i < 5; i++) {
      const answered = v.page.waitForResponse((r) => r.request().method() === 'POST')
      await signIn(v.page, 'nobody', `wrong-${i}-password`)
      await answered
      await v.page.locator('button.main:not([disabled])').waitFor()
    }
    await signIn(v.page, 'nobody', 'wrong again and again')
    await expect.poll(() => v.page.locator('[data-test=said]').innerText()).toMatch(/请等待 \d+ 秒/)
    expect(await v.page.locator('button.main').isDisabled()).toBe(true)
  })

  it('shows a viewer nothing to administer but the own account', async () => {
    const v = await openAs('kan', '/admin/')
    await v.page.locator('.sections a').first().waitFor()
    expect(await v.page.locator('.sections a').allInnerTexts()).toEqual(['我的账号'])
    await v.page.evaluate(() => void (location.hash = '#/accounts'))
    await expect.poll(() => v.page.locator('[role=alert]').innerText()).toContain('您的角色不能使用这一栏')
  })
})

describe('administration', () => {
  it('creates an account that can sign in, and the audit tells of it', async () => {
    const v = await openAs('admin', '/admin/#/accounts')
    await v.page.locator('[data-test=create-account]').click()
    const form = v.page.locator('[data-test=account-form]')
    await form.getByLabel('账号').fill('wang')
    await form.getByLabel('姓名').fill('王五')
    await form.getByLabel('角色').selectOption('street-operator')
    await form.getByLabel('辖区').selectOption('street')
    await form.getByLabel('编号').fill('310114004')
    await form.getByRole('button', { name: '生成' }).click()
    const password = await form.getByLabel('初始密码').first().inputValue()
    await shoot(v.page, 'account-form-1280x800')
    await form.getByRole('button', { name: '保存' }).click()
    const row = v.page.locator('[data-test=accounts] tr', { hasText: 'wang' })
    await expect.poll(() => row.innerText()).toContain('街镇值班员')
    expect(await row.innerText()).toContain('310114004')
    expect(await nameless(v.page)).toEqual([])
    await shoot(v.page, 'accounts-1280x800')

    await v.page.getByRole('link', { name: '审计' }).click()
    const entry = v.page.locator('[data-test=audit] tbody tr', { hasText: 'wang' }).first()
    await expect.poll(() => entry.innerText()).toContain('新建账号')
    await entry.locator('summary').click()
    expect(await entry.innerText()).toContain('street-operator')
    await v.page.locator('[data-test=verify]').click()
    await expect.poll(() => v.page.locator('[data-test=verdict]').innerText()).toContain('完好')
    await shoot(v.page, 'audit-1280x800')

    const wang = await open('/login/')
    await signIn(wang.page, 'wang', password)
    await wang.page.waitForURL((url) => url.pathname === '/')
    await drawn(wang.page)
    await expect.poll(() => wang.page.locator('[data-test=who]').innerText()).toContain('王五')
  })

  it('makes a share link that opens the map without signing in, until it is revoked', async () => {
    const stranger = await open('/login/')
    stranger.allowFailedRequests()
    await Promise.all([stranger.page.waitForResponse((r) => r.status() === 401), stranger.page.goto(service.url)])
    await stranger.page.waitForURL('**/login/**')

    const v = await openAs('admin', '/admin/#/links')
    await v.page.locator('[data-test=issue]').click()
    await v.page.locator('[data-test=issue-form]').getByLabel('名称').fill('指挥大厅大屏')
    await v.page.locator('[data-test=issue-form]').getByRole('button', { name: '签发' }).click()
    const url = await v.page.locator('[data-test=secret]').innerText()
    expect(url).toContain('/share/lql_')
    await shoot(v.page, 'share-link-1280x800')
    await v.page.keyboard.press('Escape')
    expect(await v.page.locator('[data-test=secret]').count()).toBe(1)
    await v.page.getByRole('button', { name: '我已妥善保存' }).click()

    const wall = await open(new URL(url).pathname)
    await drawn(wall.page)
    expect(new URL(wall.page.url()).pathname).toBe('/')
    await expect.poll(() => wall.page.locator('.brand').innerText()).toContain('417 个网格')

    await v.page.getByRole('button', { name: '吊销“指挥大厅大屏”？' }).click()
    await v.page.locator('[data-test=revoke]').click()
    await expect.poll(() => v.page.locator('.empty').innerText()).toContain('还没有共享链接')
    wall.allowFailedRequests()
    await expect.poll(async () => (await wall.page.request.get('/api/v1/streets')).status(), { timeout: 10_000 }).toBe(401)
    await wall.page.reload()
    await wall.page.waitForURL('**/login/**')
  })

  it('reads the audit back to its first row, page by page', async () => {
    const v = await openAs('admin', '/admin/#/audit')
    const { csrf } = await (await v.page.request.get('/api/v1/session')).json() as { csrf: string }
    for (let i = 0; i < 120; i++) {
      const changed = await v.page.request.patch('/api/v1/accounts/kan', { headers: { 'X-CSRF-Token': csrf }, data: { name: `看 ${i}` } })
      expect(changed.status()).toBe(200)
    }
    await v.page.getByRole('button', { name: '筛选' }).click()
    const numbers = (): Promise<number[]> => v.page.locator('[data-test=audit] tbody tr td:first-child').allInnerTexts().then((all) => all.map(Number))
    await expect.poll(() => numbers().then((n) => n.length)).toBe(100)
    const [newest = 0] = await numbers()
    await v.page.locator('[data-test=earlier]').click()
    await expect.poll(() => numbers().then((n) => n.at(-1))).toBe(1)
    expect(await numbers()).toEqual(Array.from({ length: newest }, (_, i) => newest - i))
    expect(await v.page.locator('[data-test=earlier]').count()).toBe(0)
  })

  it('tells a device’s secret once, and takes it as a credential', async () => {
    const v = await openAs('admin', '/admin/#/devices')
    await v.page.locator('[data-test=issue]').click()
    await v.page.locator('[data-test=device-form]').getByLabel('名称').fill('巡逻 3 号车')
    await v.page.locator('[data-test=device-form]').getByRole('button', { name: '登记设备' }).click()
    const secret = await v.page.locator('[data-test=secret]').innerText()
    expect(secret).toMatch(/^lqd_/)
    const ask = (): Promise<number> => fetch(`${service.url}/api/v1/streets`, { headers: { Authorization: `Bearer ${secret}` } }).then((r) => r.status)
    expect(await ask()).toBe(200)
    await v.page.getByRole('button', { name: '我已妥善保存' }).click()
    expect(await v.page.locator('[data-test=tokens]').innerText()).toContain('巡逻 3 号车')
    expect(await v.page.content()).not.toContain(secret)
  })
})

describe('generations', () => {
  let made: Redrawn

  it('refuses a file that is none, and takes one with changes as a draft', async () => {
    const v = await openAs('hua', '/admin/#/generations')
    v.allowFailedRequests()
    const district = multi(await (await v.page.request.get('/api/v1/generations/1/grids')).json())
    made = redraw(district)
    const [bad, good] = [join(folder, 'bad.geojson'), join(folder, '2027 年调整.geojson')]
    const overlapping = structuredClone(district)
    overlapping.features[0]!.geometry = structuredClone(overlapping.features[1]!.geometry)
    writeFileSync(bad, JSON.stringify(overlapping))
    writeFileSync(good, JSON.stringify(made.district))

    await v.page.locator('[data-test=file]').setInputFiles(bad)
    await v.page.getByRole('button', { name: '导入为草稿' }).click()
    const refused = v.page.locator('[data-test=refused]')
    await expect.poll(() => refused.innerText(), { timeout: 60_000 }).toContain('边界不吻合')
    expect(await refused.innerText()).not.toMatch(/--|lianqin/)
    expect(await refused.locator('[data-test=defects] tr').first().innerText()).toContain('重叠')
    expect(await refused.locator('[data-test=defects]').innerText()).toContain(String(district.features[1]!.properties['code']))
    await shoot(v.page, 'import-refused-1280x800')

    await v.page.locator('[data-test=file]').setInputFiles(good)
    await v.page.getByRole('button', { name: '导入为草稿' }).click()
    await expect.poll(() => v.page.locator('[data-test=said]').innerText(), { timeout: 60_000 }).toContain('第 2 版草稿')
    expect(await v.page.locator('[data-test=publish]').count()).toBe(0)
    await v.page.locator('[data-test=check]').click()
    await expect.poll(() => v.page.locator('[data-test=findings]').innerText(), { timeout: 60_000 }).toContain(made.gone)
    expect(await v.page.locator('[data-test=findings]').innerText()).toContain('撤销 is gone')
    const against = v.page.locator('[data-test=against]')
    expect(await against.inputValue()).toBe('1')
    await against.selectOption({ label: '不对照（作为首版）' })
    await v.page.locator('[data-test=check-against]').click()
    await expect.poll(() => v.page.locator('.detail').innerText(), { timeout: 60_000 }).toContain('未发现问题')
    await against.selectOption('1')
    await v.page.locator('[data-test=check-against]').click()
    await expect.poll(() => v.page.locator('.detail').innerText(), { timeout: 60_000 }).toContain('对照第 1 版检查')
    await expect.poll(() => v.page.locator('[data-test=generations]').innerText()).toContain('已检查')
    await shoot(v.page, 'generations-planner-1280x800')
  })

  it('shows what changed on two maps, coloured by kind', async () => {
    const v = await openAs('hua', '/admin/#/generations/1/2')
    await drawn(v.page)
    await v.page.waitForFunction(() => (window.lianqin as unknown as { before: { loaded(): boolean } }).before.loaded())
    const kinds = await v.page.evaluate(() => {
      const shown = (map: NonNullable<typeof window.lianqin>['map']): string[] =>
        [...new Set(map.queryRenderedFeatures(undefined, { layers: ['change-area'] }).map((f) => String(f.properties['kind'])))].sort()
      const { map, before } = window.lianqin as unknown as { map: NonNullable<typeof window.lianqin>['map']; before: NonNullable<typeof window.lianqin>['map'] }
      return { base: shown(before), next: shown(map) }
    })
    expect(kinds.base).toContain('gone')
    expect(kinds.next).toEqual(expect.arrayContaining(['redrawn', 'same', 'split']))
    expect(kinds.next).not.toContain('gone')
    const table = v.page.locator('[data-test=changes]')
    expect(await table.innerText()).toContain(made.gone)
    expect(await table.locator('th[aria-sort=descending]').innerText()).toContain('增减')

    const row = table.locator('tr', { hasText: `${made.split}B` }).first()
    await row.click()
    await drawn(v.page)
    expect(await v.page.evaluate(() => window.lianqin!.map.getZoom())).toBeGreaterThan(13)
    const views = await v.page.evaluate(() => {
      const { map, before } = window.lianqin as unknown as Record<'map' | 'before', { getCenter(): { lng: number; lat: number } }>
      return [map.getCenter(), before.getCenter()].map(({ lng, lat }) => [lng.toFixed(7), lat.toFixed(7)].join())
    })
    expect(views[0]).toBe(views[1])
    await shoot(v.page, 'diff-grid-1280x800')

    const line = v.page.locator('[data-test=line]')
    await line.focus()
    await v.page.keyboard.press('PageDown')
    expect(await line.getAttribute('aria-valuenow')).toBe('40')
    const box = (await line.boundingBox())!
    await v.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await v.page.mouse.down()
    await v.page.mouse.move(box.x + 200, box.y + box.height / 2)
    await v.page.mouse.up()
    expect(Number(await line.getAttribute('aria-valuenow'))).toBeGreaterThan(55)
    expect(await nameless(v.page)).toEqual([])
  })

  it('publishes with a date, having told what will change; another’s publication is a conflict', async () => {
    const [first, second] = [await openAs('shen', '/admin/#/generations'), await openAs('shen', '/admin/#/generations')]
    second.allowFailedRequests()
    for (const { page } of [first, second]) {
      await page.locator('[data-test=publish]').click()
      await page.locator('[data-test=publish-form]').getByLabel('日期').fill('2035-01-01')
      await expect.poll(() => page.locator('.changes').innerText()).toContain('撤销 1')
      expect(await page.locator('.changes').innerText()).toContain('2035-01-01 00:00 起，由第 1 版改为此版')
    }
    await shoot(first.page, 'publish-1280x800')
    await first.page.getByRole('button', { name: '确认发布' }).click()
    await expect.poll(() => first.page.locator('[data-test=said]').innerText(), { timeout: 60_000 }).toContain('已列入安排')
    await expect.poll(() => first.page.locator('[data-test=generations]').innerText()).toContain('2035-01-01 00:00 起')
    expect(await first.page.locator('[data-test=generations]').innerText()).toContain('待生效')
    await shoot(first.page, 'generations-1280x800')

    await second.page.getByRole('button', { name: '确认发布' }).click()
    await expect.poll(() => second.page.locator('[data-test=conflict]').innerText()).toContain('安排已被他人改动')
    expect(await second.page.locator('[data-test=conflict]').innerText()).toContain('shen')
  })

  it.each([
    ['1920x1080', { viewport: { width: 1920, height: 1080 } }],
    ['tablet-1280x800', { viewport: { width: 1280, height: 800 }, hasTouch: true, isMobile: true }],
    ['tablet-800x1280', { viewport: { width: 800, height: 1280 }, hasTouch: true, isMobile: true }],
  ] as const)('fits %s, in both themes and languages', async (name, options) => {
    const v = await openAs('hua', '/admin/#/generations/1/2', options)
    await drawn(v.page)
    expect(await overflow(v.page)).toBeLessThanOrEqual(0)
    await shoot(v.page, `diff-${name}`)
    await v.page.getByLabel('切换为浅色').click()
    await v.page.getByLabel('English').click()
    await drawn(v.page)
    await shoot(v.page, `diff-light-en-${name}`)
    await v.page.evaluate(() => void (location.hash = '#/generations'))
    await v.page.locator('[data-test=generations]').waitFor()
    expect(await overflow(v.page)).toBeLessThanOrEqual(0)
    await shoot(v.page, `generations-light-en-${name}`)
  })
})
