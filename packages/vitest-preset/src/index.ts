import { defineConfig, type ViteUserConfig } from 'vitest/config';
import type { InlineConfig } from 'vitest/node';

/**
 * The vitest configuration of every app and package.
 *
 * Test files run in processes of their own (`forks`: the SDK's native core is not made for worker threads), two at a
 * time at most; a report goes to `reports/test.json`, from which `pnpm test` counts.
 *
 * @param options.globalSetup files that bring up what all test files of a package share
 * @param options.provide what test files get by `inject`, and what `globalSetup` goes by
 * @param options.isolate false: two processes run all files, one after another. Half of what a short file of an app costs is to
 *   load the SDK. What a file changes in its process, such as `process.env`, the next one finds
 * @param options.retry how often a test that failed is run again; `pnpm test` names each one that needed it, and why. For what
 *   kills and stops real processes by the hundred, where the wrong moment comes once in a thousand times
 */
export function preset({
  globalSetup = [],
  provide,
  isolate = true,
  retry = 0,
}: Pick<InlineConfig, 'provide' | 'isolate'> & { globalSetup?: string[]; retry?: number } = {}): ViteUserConfig {
  return defineConfig({
    test: {
      include: ['test/**/*.test.ts'],
      pool: 'forks',
      maxWorkers: 2,
      isolate,
      retry,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      globalSetup,
      ...(provide && { provide }),
      reporters: ['default', ['json', { outputFile: 'reports/test.json' }]],
    },
  });
}
