import { afterEach, describe, expect, it, vi } from 'vitest'
import { get } from './client'
import { ApiFault } from './fault'

function answer(body: string, init: ResponseInit & { type?: string } = {}): void {
  const headers = { 'content-type': init.type ?? 'application/json' }
  vi.stubGlobal('fetch', async () => new Response(body, { status: init.status ?? 200, headers }))
}

async function faultOf(promise: Promise<unknown>): Promise<ApiFault> {
  const err: unknown = await promise.then(() => 'an answer', (reason: unknown) => reason)
  expect(err).toBeInstanceOf(ApiFault)
  return err as ApiFault
}

afterEach(() => vi.unstubAllGlobals())

describe('get', () => {
  it('asks with the query and reads the answer', async () => {
    const asked: string[] = []
    vi.stubGlobal('fetch', async (url: string) => {
      asked.push(url)
      return new Response('{"n":3}')
    })
    expect(await get('/api/v1/x', { lon: '121.2', q: 'a&b' }, (json) => json.at('n').integer())).toBe(3)
    expect(asked).toEqual(['/api/v1/x?lon=121.2&q=a%26b'])
  })

  it('keeps a problem’s detail and parameter', async () => {
    answer(
      JSON.stringify({ type: 'about:blank', title: 'Bad Request', status: 400, detail: 'lat: 99 is not a latitude', parameter: 'lat' }),
      { status: 400, type: 'application/problem+json; charset=utf-8' },
    )
    const fault = await faultOf(get('/x', {}, () => 0))
    expect(fault.kind).toBe('refused')
    expect(fault.problem).toEqual({
      type: 'about:blank', title: 'Bad Request', status: 400, detail: 'lat: 99 is not a latitude', parameter: 'lat',
    })
  })

  it.each([
    ['a plain 404 page', 404, 'text/html', '<h1>no</h1>', 'refused'],
    ['a 500 with a broken problem', 500, 'application/problem+json', '{"detail":', 'refused'],
    ['a problem whose detail is no text', 400, 'application/problem+json', '{"detail":7}', 'refused'],
    ['a gateway with nobody behind it', 502, 'text/html', 'bad gateway', 'unreachable'],
    ['the server itself not ready', 503, 'application/problem+json', '{"title":"starting"}', 'refused'],
  ])('%s', async (_name, status, type, body, want) => {
    answer(body, { status, type })
    const fault = await faultOf(get('/x', {}, () => 0))
    expect(fault.kind).toBe(want)
    expect(fault.problem?.status).toBe(status)
  })

  it('calls a dead connection unreachable', async () => {
    vi.stubGlobal('fetch', async () => {
      throw new TypeError('Failed to fetch')
    })
    const fault = await faultOf(get('/x', {}, () => 0))
    expect(fault.kind).toBe('unreachable')
    expect(fault.problem).toBeNull()
  })

  it('calls an answer of another shape unreadable, and names the place', async () => {
    answer('{"grids":[{"code":12}]}')
    const fault = await faultOf(get('/x', {}, (json) => json.at('grids').items().map((grid) => grid.at('code').text())))
    expect(fault.kind).toBe('unreadable')
    expect(fault.message).toBe('$.grids[0].code: want text, got 12')
  })

  it('calls what is not JSON unreadable', async () => {
    answer('<html>')
    expect((await faultOf(get('/x', {}, () => 0))).kind).toBe('unreadable')
  })

  it('does not turn an abort into a fault', async () => {
    vi.stubGlobal('fetch', async (_url: string, init: RequestInit) => {
      init.signal?.throwIfAborted()
      return new Response('{}')
    })
    const given = new AbortController()
    given.abort()
    await expect(get('/x', {}, () => 0, given.signal)).rejects.toMatchObject({ name: 'AbortError' })
  })
})
