/**
 * Chromium on a running lianqin (BASE_URL). Every page that is opened here
 * fails its test when it asks another origin for anything, or when it writes
 * an error to the console.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { chromium } from 'playwright-core'

export const baseURL = (process.env['LIANQIN_URL'] ?? '').replace(/\/$/, '')

const shots = process.env['SHOTS'] ?? join(import.meta.dirname, 'shots')

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--no-first-run', '--force-color-profile=srgb', '--hide-scrollbars',
    ],
  })
}

/** A page and what it did that it must not do. */
export interface Visit {
  readonly page: Page
  /** Requests to other origins, errors on the console, exceptions. */
  readonly trespasses: string[]
  /** Lets console errors of failed requests pass, for tests that make requests fail. */
  allowFailedRequests(): void
  close(): Promise<void>
}

/** Opens `path` of BASE_URL, or of `options.baseURL`. */
export async function visit(browser: Browser, path = '/', options: BrowserContextOptions = {}): Promise<Visit> {
  const origin = options.baseURL ?? baseURL
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(90_000)
  const trespasses: string[] = []
  let failuresAllowed = false
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== origin) trespasses.push(`request to ${url.origin}`)
  })
  page.on('websocket', (socket) => trespasses.push(`socket to ${socket.url()}`))
  page.on('pageerror', (err) => trespasses.push(`exception ${err.message}`))
  page.on('console', (message) => {
    if (message.type() !== 'error') return
    if (failuresAllowed && /Failed to load resource|ERR_INTERNET_DISCONNECTED/.test(message.text())) return
    trespasses.push(`console ${message.text()}`)
  })
  await page.goto(still(path, origin))
  return {
    page,
    trespasses,
    allowFailedRequests: () => void (failuresAllowed = true),
    close: () => context.close(),
  }
}

/** The page without animation, so that nothing depends on the speed of the machine. */
function still(path: string, origin: string): string {
  const url = new URL(path, origin)
  url.searchParams.set('still', '1')
  return url.href
}

interface MapForTests {
  loaded(): boolean
  areTilesLoaded(): boolean
  isMoving(): boolean
  project(at: [number, number]): { x: number; y: number }
  getZoom(): number
  getCenter(): { lng: number; lat: number }
  queryRenderedFeatures(at: unknown, options: { layers: string[] }): { properties: Record<string, unknown> }[]
}

declare global {
  interface Window {
    lianqin?: { map: MapForTests }
  }
}

/** Waits until the map has drawn everything. */
export async function drawn(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const map = window.lianqin?.map
    return map !== undefined && map.loaded() && map.areTilesLoaded() && !map.isMoving()
  })
}

/** Where a position is on the screen. */
export function pixelOf(page: Page, at: readonly [number, number]): Promise<{ x: number; y: number }> {
  return page.evaluate(([lon, lat]) => {
    const { x, y } = window.lianqin!.map.project([lon, lat])
    return { x, y }
  }, at as [number, number])
}

/** The properties of what the layer `layer` shows at a pixel. */
export function shownAt(page: Page, x: number, y: number, layer: string): Promise<Record<string, unknown>[]> {
  return page.evaluate(([px, py, id]) => window.lianqin!.map.queryRenderedFeatures([px, py], { layers: [id] }).map((f) => f.properties), [x, y, layer] as const)
}

export async function shoot(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`) })
}

export async function api<T>(path: string): Promise<T> {
  const response = await fetch(baseURL + path)
  return (await response.json()) as T
}
