import { defineConfig } from 'vitest/config';

import { ownPackages } from './vite.config.js';

const sdk = (file: string) => new URL(`../../sdk/typescript/src/${file}`, import.meta.url).pathname;

export default defineConfig({
  plugins: [ownPackages],
  test: {
    include: ['test/**/*.test.ts'],
    alias: [
      { find: /^@motif\/sdk$/, replacement: sdk('index.ts') },
      { find: '#platform', replacement: sdk('platform/node.ts') },
    ],
    testTimeout: 300_000,
    expect: { poll: { timeout: 90_000 } },
    hookTimeout: 120_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
