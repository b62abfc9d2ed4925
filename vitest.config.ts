/** How tests run: real Node, files of their own processes (child engines and sockets stay apart), no module mocks. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The checkpoint saver's validation suite expects describe and it as globals; our own tests import them.
    globals: true,
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
