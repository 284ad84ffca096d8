import { fileURLToPath } from 'node:url';

import { defineConfig, type Plugin } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const sdk = (file: string) => path(`../../sdk/typescript/src/${file}`);
const GATEWAY = process.env['MOTIF_GATEWAY_URL'] ?? 'http://127.0.0.1:8787';

/** Resolves packages that the SDK's sources import from this folder: the SDK's own folder may have none installed. */
export const ownPackages: Plugin = {
  name: 'own-packages',
  enforce: 'pre',
  resolveId(source, importer) {
    const isOfSdk = importer?.startsWith(sdk('')) && /^@(solana|noble)\//.test(source);
    return isOfSdk ? this.resolve(source, path('src/main.tsx'), { skipSelf: true }) : null;
  },
};

export default defineConfig({
  base: '/studio/',
  plugins: [ownPackages],
  resolve: {
    alias: [
      { find: /^@motif\/sdk$/, replacement: sdk('index.ts') },
      { find: /^@motif\/sdk\/(wallet|content|programs)$/, replacement: sdk('$1/index.ts') },
      { find: '#platform', replacement: path('src/lib/platform.ts') },
      { find: '#worker-platform', replacement: path('src/lib/worker-platform.ts') },
    ],
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    // Data URLs would be one more source in the content security policy, and a preload polyfill one more script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    sourcemap: false,
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  worker: { format: 'es', plugins: () => [ownPackages] },
  server: { proxy: Object.fromEntries(['/v1', '/w', '/r', '/metrics'].map((prefix) => [prefix, GATEWAY])) },
});
