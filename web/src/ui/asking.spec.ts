import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { ApiFault } from '../api/fault'
import { useAsking } from './asking'

const unreachable = (): Promise<never> => Promise.reject(new ApiFault('unreachable', 'x'))
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('useAsking', () => {
  it('keeps the answer', async () => {
    const asking = useAsking<number>()
    asking.ask(() => Promise.resolve(7))
    expect(asking.busy.value).toBe(true)
    await settle()
    expect([asking.answer.value, asking.fault.value, asking.busy.value]).toEqual([7, null, false])
  })

  it('drops a slow answer to an older question', async () => {
    const asking = useAsking<string>()
    asking.ask(() => new Promise((done) => setTimeout(() => done('old'), 500)))
    asking.ask(() => Promise.resolve('new'))
    await vi.advanceTimersByTimeAsync(1000)
    expect(asking.answer.value).toBe('new')
  })

  it('asks again by itself while the server is unreachable, ever more slowly', async () => {
    const asking = useAsking<number>()
    const question = vi.fn(unreachable)
    asking.ask(question)
    await settle()
    expect(asking.fault.value?.kind).toBe('unreachable')
    await vi.advanceTimersByTimeAsync(2000)
    expect(question).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(3999)
    expect(question).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(1)
    expect(question).toHaveBeenCalledTimes(3)
  })

  it('does not repeat what the server refused', async () => {
    const asking = useAsking<number>()
    const question = vi.fn(() => Promise.reject(new ApiFault('refused', 'x')))
    asking.ask(question)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(question).toHaveBeenCalledTimes(1)
    asking.retry()
    await settle()
    expect(question).toHaveBeenCalledTimes(2)
  })

  it('stops when its owner goes', async () => {
    const scope = effectScope()
    const question = vi.fn(unreachable)
    scope.run(() => useAsking<number>().ask(question))
    await settle()
    scope.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(question).toHaveBeenCalledTimes(1)
  })
})
