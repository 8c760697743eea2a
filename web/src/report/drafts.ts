/** Reports that wait to be sent, kept on the device with their photos; and receipts of those that were. */
import type { Receipt, Report } from '../api/publicreports'

export interface Draft extends Report {
  readonly photos: readonly Blob[]
  /** Names of the photos that were taken in already. */
  readonly sent: readonly string[]
  /** Why the service did not take it; empty while it waits. */
  readonly refused: string
}

const NAME = 'lianqin-report'
const STORE = 'drafts'

function open(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    const request = indexedDB.open(NAME, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'key' })
    request.onsuccess = () => done(request.result)
    request.onerror = () => failed(request.error ?? new Error('no database'))
  })
}

async function inStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open()
  try {
    return await new Promise<T>((done, failed) => {
      const tx = db.transaction(STORE, mode)
      const request = work(tx.objectStore(STORE))
      tx.oncomplete = () => done(request.result)
      tx.onabort = tx.onerror = () => failed(tx.error ?? new Error('not stored'))
    })
  } finally {
    db.close()
  }
}

/** All of them, the oldest first; none where the browser forbids the store. */
export async function drafts(): Promise<Draft[]> {
  try {
    const all = (await inStore<Draft[]>('readonly', (s) => s.getAll() as IDBRequest<Draft[]>))
    return all.sort((a, b) => a.capturedMs - b.capturedMs)
  } catch {
    return []
  }
}

/** False where the browser forbids it: then a report lasts as long as the page. */
export async function keep(draft: Draft): Promise<boolean> {
  try {
    await inStore('readwrite', (s) => s.put(draft))
    return true
  } catch {
    return false
  }
}

export async function forget(key: string): Promise<void> {
  await inStore('readwrite', (s) => s.delete(key)).catch(() => undefined)
}

/** 132 bits by chance, so that nobody has the same. */
export function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(17))
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

const RECEIPTS = 'lianqin.receipts'
const MOST = 20

/** What this device has reported, the latest first. */
export function receipts(): Receipt[] {
  try {
    const all: unknown = JSON.parse(localStorage.getItem(RECEIPTS) ?? '[]')
    return Array.isArray(all) ? (all as Receipt[]).filter((r) => typeof r?.follow === 'string' && typeof r.number === 'string') : []
  } catch {
    return []
  }
}

export function addReceipt(r: Receipt): void {
  try {
    localStorage.setItem(RECEIPTS, JSON.stringify([r, ...receipts().filter((other) => other.follow !== r.follow)].slice(0, MOST)))
  } catch {
    // The page still shows it.
  }
}
