/** What the server said about a refused request (RFC 9457, application/problem+json). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  /** The request parameter at fault, or empty. */
  readonly parameter: string
}

/**
 * Why a request has no answer.
 * - `unreachable`: no connection, or none within the time allowed.
 * - `refused`: the server answered with a problem.
 * - `unreadable`: the answer is not what this version of the page understands.
 */
export class ApiFault extends Error {
  override readonly name = 'ApiFault'

  constructor(
    readonly kind: 'unreachable' | 'refused' | 'unreadable',
    message: string,
    readonly problem: Problem | null = null,
    /** Seconds after which the server would take the request, when it said so. */
    readonly retryAfterS: number | null = null,
    /** The whole problem document, for members that are particular to one route. */
    readonly document: unknown = null,
  ) {
    super(message)
  }
}

/** Whether the server refused with `status`. */
export function refusedWith(err: unknown, status: number): err is ApiFault {
  return err instanceof ApiFault && err.kind === 'refused' && err.problem?.status === status
}

/** Any thrown value as an ApiFault; what is not a fault of the network is unreadable. */
export function asFault(err: unknown): ApiFault {
  return err instanceof ApiFault ? err : new ApiFault('unreadable', err instanceof Error ? err.message : String(err))
}
