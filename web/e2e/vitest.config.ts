import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const url = process.env['BASE_URL']
if (!url) throw new Error('BASE_URL is not set: start lianqin and run BASE_URL=http://127.0.0.1:8080 npm run e2e')

// A software renderer on a busy machine takes its time; a hang is still found.
export default defineConfig({
  cacheDir: fileURLToPath(new URL('../node_modules/.vite', import.meta.url)),
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    include: ['*.e2e.ts'],
    reporters: ['verbose'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 20_000 } },
    fileParallelism: false,
    // Vite keeps BASE_URL for a meaning of its own.
    env: { LIANQIN_URL: url },
  },
})
