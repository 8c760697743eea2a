import vue from '@vitejs/plugin-vue'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// Every app is one HTML page of its own; the server answers / with the wall.
const apps = ['wall']

export default defineConfig({
  plugins: [vue()],
  build: {
    target: 'chrome94',
    emptyOutDir: true,
    rolldownOptions: { input: apps.map((app) => here(`${app}/index.html`)) },
  },
  server: {
    proxy: {
      '/api': process.env['LIANQIN'] ?? 'http://127.0.0.1:8080',
      '/tiles': process.env['LIANQIN'] ?? 'http://127.0.0.1:8080',
    },
  },
  test: { include: ['src/**/*.spec.ts'] },
})
