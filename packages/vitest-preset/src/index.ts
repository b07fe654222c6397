import { defineConfig, type ViteUserConfig } from 'vitest/config';

/**
 * The vitest configuration of every app and package.
 *
 * Test files run in processes of their own (`forks`: the SDK's native core is not made for worker threads), two at a
 * time at most; a report goes to `reports/test.json`, from which `pnpm test` counts.
 *
 * @param options.globalSetup files that bring up what all test files of a package share
 */
export function preset({ globalSetup = [] }: { globalSetup?: string[] } = {}): ViteUserConfig {
  return defineConfig({
    test: {
      include: ['test/**/*.test.ts'],
      pool: 'forks',
      maxWorkers: 2,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      globalSetup,
      reporters: ['default', ['json', { outputFile: 'reports/test.json' }]],
    },
  });
}
