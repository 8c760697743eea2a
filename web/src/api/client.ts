import { Json } from './decode'
import type { Problem } from './fault'
import { ApiFault } from './fault'

const TIMEOUT_MS = 15_000

/**
 * GETs `path` with `query` and reads the answer with `read`. Rejects with an
 * ApiFault, except that an abort by `signal` rejects as fetch does: an
 * abandoned question has no answer worth telling anybody.
 */
export async function get<T>(path: string, query: Record<string, string>, read: (json: Json) => T, signal?: AbortSignal): Promise<T> {
  const search = new URLSearchParams(query).toString()
  const url = search ? `${path}?${search}` : path
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  let response: Response
  let body: string
  try {
    response = await fetch(url, {
      headers: { Accept: 'application/json, application/geo+json, application/problem+json' },
      signal: signal ? either(signal, timeout) : timeout,
    })
    body = await response.text()
  } catch (err) {
    signal?.throwIfAborted()
    throw new ApiFault('unreachable', `${url}: ${err instanceof Error ? err.message : String(err)}`)
  }
  if (!response.ok) throw refusal(url, response, body)
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw new ApiFault('unreadable', `${url}: not JSON: ${body.slice(0, 60)}`)
  }
  return read(new Json(value))
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
  return new ApiFault(gone ? 'unreachable' : 'refused', `${url}: ${response.status} ${problem.detail}`, problem)
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
