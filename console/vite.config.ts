import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// For working on pages: a server to ask, and a session for it.
const server = process.env.GARRISON_URL ?? 'http://127.0.0.1:8480';
const session = process.env.GARRISON_TOKEN;
const api = {
  target: server,
  changeOrigin: true,
  secure: false,
  headers: session ? { authorization: `Bearer ${session}` } : undefined,
};

/** Puts a smaller form beside each file, so that the server compresses nothing while it runs. */
function compress(): Plugin {
  const dist = fileURLToPath(new URL('./dist', import.meta.url));
  return {
    name: 'compress',
    apply: 'build',
    closeBundle() {
      for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(html|js|css|svg|json)$/.test(name)) continue;
        const plain = readFileSync(join(dist, name));
        for (const [ending, small] of [['br', brotliCompressSync(plain)], ['gz', gzipSync(plain, { level: 9 })]] as const) {
          if (small.length < plain.length) writeFileSync(join(dist, `${name}.${ending}`), small);
        }
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), compress()],
  resolve: { alias: { $: fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2023',
    outDir: 'dist',
    assetsDir: 'assets',
    // A strict policy of content allows no data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    reportCompressedSize: false,
  },
  server: { host: '127.0.0.1', proxy: { '/api': api, '/readyz': api, '/favicon.svg': api, '/login': api, '/logout': api, '/account': api } },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});
