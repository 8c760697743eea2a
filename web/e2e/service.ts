/**
 * A lianqin of the test's own: an empty database, the demonstration district,
 * accounts with known passwords, and nothing to see without signing in.
 */
import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export interface Service {
  readonly url: string
  readonly password: string
  /** Kills it as a power failure does, and what it was, with its port, comes back with `up`. */
  down(): Promise<void>
  up(): Promise<void>
  stop(): Promise<void>
}

const program = resolve(process.env['LIANQIN_BIN'] ?? join(import.meta.dirname, '../../bin/lianqin'))

/**
 * Starts it with an account for every entry of `roles`: login → role, or role
 * and jurisdiction as `street-operator street:310114004`. All have the same
 * password. `prepare` runs on the database before all else.
 */
export async function startService(roles: Readonly<Record<string, string>>, prepare?: (program: string, database: string, folder: string) => void): Promise<Service> {
  if (!existsSync(program)) throw new Error(`${program} is not there: run make build, or set LIANQIN_BIN`)
  const folder = mkdtempSync(join(tmpdir(), 'lianqin-e2e-'))
  const database = `sqlite:${join(folder, 'lianqin.db')}`
  prepare?.(program, database, folder)
  const password = randomBytes(15).toString('base64url')
  for (const [login, trust] of Object.entries(roles)) {
    const [role = '', jurisdiction = 'district'] = trust.split(' ')
    execFileSync(program, ['user', 'add', login, '--role', role, '--jurisdiction', jurisdiction, '--name', login, '--database', database, '--password-stdin'], { input: `${password}\n`, cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
  }
  const serve = (listen: string): ChildProcess => spawn(program, ['serve', '--listen', listen, '--database', database], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let server = serve('127.0.0.1:0')
  const url = await addressOf(server)
  async function end(signal: NodeJS.Signals): Promise<void> {
    const gone = new Promise((done) => server.once('exit', done))
    server.kill(signal)
    await gone
  }
  return {
    url,
    password,
    down: () => end('SIGKILL'),
    async up() {
      server = serve(new URL(url).host)
      await addressOf(server)
    },
    async stop() {
      await end('SIGTERM')
      rmSync(folder, { recursive: true })
    },
  }
}

function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    let said = ''
    const read = (chunk: Buffer): void => {
      said += chunk.toString()
      const url = said.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0]
      if (url) found(url)
    }
    server.stdout?.on('data', read)
    server.stderr?.on('data', read)
    server.once('exit', (code) => failed(new Error(`lianqin serve ended with ${code}: ${said}`)))
  })
}
