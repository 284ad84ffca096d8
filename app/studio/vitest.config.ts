import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    alias: [{ find: /^@motif\/sdk$/, replacement: new URL('../../sdk/typescript/src/index.ts', import.meta.url).pathname }],
    testTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 120_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
