import { defineConfig, type ViteUserConfig } from 'vitest/config';
import type { InlineConfig } from 'vitest/node';

/**
 * The vitest configuration of every app and package.
 *
 * Test files run in processes of their own (`forks`: the SDK's native core is not made for worker threads); a report goes
 * to `reports/test.json`, from which `pnpm test` counts.
 *
 * @param options.globalSetup files that bring up what all test files of a package share
 * @param options.provide what test files get by `inject`, and what `globalSetup` goes by
 * @param options.maxWorkers how many processes at a time. Two, for two cores; one more pays where tests wait for real time
 * @param options.isolate false: these processes run all files, one after another. Half of what a short file of an app costs is to
 *   load the SDK. What a file changes in its process, such as `process.env`, the next one finds
 */
export function preset({
  globalSetup = [],
  provide,
  maxWorkers = 2,
  isolate = true,
}: Pick<InlineConfig, 'provide' | 'maxWorkers' | 'isolate'> & { globalSetup?: string[] } = {}): ViteUserConfig {
  return defineConfig({
    test: {
      include: ['test/**/*.test.ts'],
      pool: 'forks',
      maxWorkers,
      isolate,
      testTimeout: 60_000,
      hookTimeout: 60_000,
      globalSetup,
      ...(provide && { provide }),
      reporters: ['default', 'json'],
      // Of the configuration, and not of the reporter: so the command line can name another one.
      outputFile: { json: 'reports/test.json' },
    },
  });
}
