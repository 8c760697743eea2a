/** What the tests of a file open, as whom, and that it is closed after each. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterEach, expect } from 'vitest'
import type { Visit } from './browser'
import { visit } from './browser'
import type { Service } from './service'

export interface Visits {
  /** Opens a page of the service. */
  open(path: string, options?: BrowserContextOptions): Promise<Visit>
  /** Opens a page as `login`, through the sign-in page. `first` is done before anything can be asked of the page. */
  openAs(login: string, path: string, options?: BrowserContextOptions, first?: (v: Visit) => void): Promise<Visit>
}

/**
 * For the tests of the file that calls it: every page that was opened is closed
 * after its test, which fails if one did what it must not do. `usual` are the
 * options of a page for which nothing else is said.
 */
export function useVisits(where: () => { browser: Browser; service: Service }, usual: BrowserContextOptions = {}): Visits {
  let visits: Visit[] = []
  afterEach(async () => {
    const trespasses = visits.flatMap((v) => v.trespasses)
    await Promise.all(visits.map((v) => v.close()))
    visits = []
    expect(trespasses).toEqual([])
  })

  async function open(path: string, options: BrowserContextOptions = {}): Promise<Visit> {
    const { browser, service } = where()
    const v = await visit(browser, path, { baseURL: service.url, ...usual, ...options })
    visits.push(v)
    return v
  }

  return {
    open,
    async openAs(login, path, options = {}, first = () => undefined) {
      const { service } = where()
      const next = new URL(path, service.url)
      next.searchParams.set('still', '1')
      const v = await open(`/login/?${new URLSearchParams({ next: next.pathname + next.search + next.hash })}`, options)
      first(v)
      await signIn(v.page, login, service.password)
      await v.page.waitForURL((url) => url.pathname === next.pathname)
      return v
    },
  }
}

/** Fills in the sign-in page, and sends it. */
export async function signIn(page: Page, login: string, password: string): Promise<void> {
  await page.getByLabel('账号').fill(login)
  await page.getByLabel('密码', { exact: true }).fill(password)
  await page.getByRole('button', { name: '登录', exact: true }).click()
}
