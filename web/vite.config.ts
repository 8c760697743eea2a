import vue from '@vitejs/plugin-vue'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// Every app is one HTML page, at /<app>/; the first is at / instead.
const apps = ['map', 'login', 'admin', 'desk', 'report', 'wall'] as const
const front = apps[0]

/** Puts the first app's page at the root of what is built, and of the development server. */
function frontPage(): Plugin {
  return {
    name: 'front-page',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const page = bundle[`${front}/index.html`]
      if (page) page.fileName = 'index.html'
    },
    configureServer(server) {
      server.middlewares.use((req, _res, next) => {
        if (req.url === '/' || req.url?.startsWith('/?')) req.url = `/${front}/index.html${req.url.slice(1)}`
        next()
      })
    },
  }
}

const service = process.env['LIANQIN'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue(), frontPage()],
  build: {
    target: 'chrome94',
    emptyOutDir: true,
    // MapLibre is most of it, and every app with a map needs it whole.
    chunkSizeWarningLimit: 1300,
    rolldownOptions: { input: Object.fromEntries(apps.map((app) => [app, here(`${app}/index.html`)])) },
  },
  server: { proxy: { '/api': service, '/tiles': service, '/oidc': service, '/share': service } },
  test: { include: ['src/**/*.spec.ts'] },
})
