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
 */
export function preset({
  globalSetup = [],
  provide,
}: Pick<InlineConfig, 'provide'> & { globalSetup?: string[] } = {}): ViteUserConfig {
  return defineConfig({
    test: {
      include: ['test/**/*.test.ts'],
      pool: 'forks',
      maxWorkers: 2,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      globalSetup,
      ...(provide && { provide }),
      reporters: ['default', ['json', { outputFile: 'reports/test.json' }]],
    },
  });
}
