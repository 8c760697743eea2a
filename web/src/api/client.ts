import { Json } from './decode'
import type { Problem } from './fault'
import { ApiFault } from './fault'

const TIMEOUT_MS = 15_000

/** What unsafe requests carry beside the session's cookie; told by the session. */
let csrf = ''

export function setCsrf(token: string): void {
  csrf = token
}

/**
 * GETs `path` with `query` and reads the answer with `read`. Rejects with an
 * ApiFault, except that an abort by `signal` rejects as fetch does: an
 * abandoned question has no answer worth telling anybody.
 */
export async function get<T>(path: string, query: Record<string, string>, read: (json: Json) => T, signal?: AbortSignal): Promise<T> {
  const url = addressOf(path, query)
  const answer = await ask(url, { headers: { Accept: ACCEPT } }, TIMEOUT_MS, signal)
  return read(parse(url, answer))
}

/** GETs bytes; else as `get`. */
export async function getBytes<T>(path: string, query: Record<string, string>, read: (bytes: ArrayBuffer) => T, signal?: AbortSignal): Promise<T> {
  const url = addressOf(path, query)
  return read(await askBytes(url, { headers: { Accept: BYTES } }, TIMEOUT_MS, signal))
}

/** GETs a file of text; rejects as `get` does. */
export function getText(path: string, query: Record<string, string>, signal?: AbortSignal): Promise<string> {
  return ask(addressOf(path, query), { headers: { Accept: `text/csv, ${ACCEPT}` } }, TIMEOUT_MS, signal)
}

/** What a request that changes something sends. */
export interface Sending {
  readonly query?: Record<string, string>
  /** Sent as JSON; a Blob or a form as it is. */
  readonly body?: unknown
  readonly timeoutMs?: number
  /** Sent as nobody, even by who has signed in. */
  readonly anonymous?: boolean
}

/**
 * Sends a request that changes something, once, and reads the answer with
 * `read`; an empty answer is read as nothing. Rejects as `get` does.
 */
export async function send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, sending: Sending, read: (json: Json) => T): Promise<T> {
  const { query = {}, body, timeoutMs = TIMEOUT_MS, anonymous = false } = sending
  const headers: Record<string, string> = { Accept: ACCEPT }
  if (csrf && !anonymous) headers['X-CSRF-Token'] = csrf
  const init: RequestInit = { method, headers, credentials: anonymous ? 'omit' : 'same-origin' }
  if (body instanceof Blob) {
    headers['Content-Type'] = 'application/octet-stream'
    init.body = body
  } else if (body instanceof FormData) {
    init.body = body // the browser adds the boundary between its parts
  } else if (body !== undefined) {
    headers['Content-Type'] = 'application/json'
    init.body = JSON.stringify(body)
  }
  const url = addressOf(path, query)
  const answer = await ask(url, init, timeoutMs)
  return read(answer.trim() === '' ? new Json(null) : parse(url, answer))
}

const ACCEPT = 'application/json, application/geo+json, application/problem+json'
const BYTES = 'application/octet-stream, application/problem+json'

function addressOf(path: string, query: Record<string, string>): string {
  const search = new URLSearchParams(query).toString()
  return search ? `${path}?${search}` : path
}

async function ask(url: string, init: RequestInit, timeoutMs: number, signal?: AbortSignal): Promise<string> {
  return new TextDecoder().decode(await askBytes(url, init, timeoutMs, signal))
}

async function askBytes(url: string, init: RequestInit, timeoutMs: number, signal?: AbortSignal): Promise<ArrayBuffer> {
  const timeout = AbortSignal.timeout(timeoutMs)
  let response: Response
  let body: ArrayBuffer
  try {
    response = await fetch(url, { ...init, signal: signal ? either(signal, timeout) : timeout })
    body = await response.arrayBuffer()
  } catch (err) {
    signal?.throwIfAborted()
    throw new ApiFault('unreachable', `${url}: ${err instanceof Error ? err.message : String(err)}`)
  }
  if (!response.ok) throw refusal(url, response, new TextDecoder().decode(body))
  return body
}

function parse(url: string, body: string): Json {
  try {
    return new Json(JSON.parse(body))
  } catch {
    throw new ApiFault('unreadable', `${url}: not JSON: ${body.slice(0, 60)}`)
  }
}

// AbortSignal.any is newer than the oldest browser this page supports.
function either(a: AbortSignal, b: AbortSignal): AbortSignal {
  const both = new AbortController()
  for (const signal of [a, b]) {
    if (signal.aborted) both.abort(signal.reason)
    signal.addEventListener('abort', () => both.abort(signal.reason), { once: true })
  }
  return both.signal
}

function refusal(url: string, response: Response, body: string): ApiFault {
  const problem = readProblem(response, body)
  // A gateway's own 502–504 means that nobody behind it was there.
  const gone = problem.type === '' && [502, 503, 504].includes(response.status)
  return new ApiFault(gone ? 'unreachable' : 'refused', `${url}: ${response.status} ${problem.detail}`, problem, seconds(response.headers.get('retry-after')), documentOf(body))
}

function seconds(retryAfter: string | null): number | null {
  return retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null
}

function documentOf(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

/** The problem in `body`, or what the status line alone tells when the body is something else. */
function readProblem(response: Response, body: string): Problem {
  const bare: Problem = { type: '', title: response.statusText, status: response.status, detail: '', parameter: '' }
  if (!(response.headers.get('content-type') ?? '').startsWith('application/problem+json')) return bare
  try {
    const json = new Json(JSON.parse(body))
    return {
      type: json.at('type').textOr('about:blank'),
      title: json.at('title').textOr(response.statusText),
      status: response.status,
      detail: json.at('detail').textOr(''),
      parameter: json.at('parameter').textOr(''),
    }
  } catch {
    return bare
  }
}
