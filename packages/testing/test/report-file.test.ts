import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';

it('a report goes where the runner looks for it: test.json, or what `pnpm torture` asks for', async () => {
  // Here, where the preset is found.
  const folder = await mkdtemp(join(fileURLToPath(new URL('./fixtures/', import.meta.url)), 'report-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'test'));
  await writeFile(
    join(folder, 'vitest.config.ts'),
    "import { preset } from '@repo/vitest-preset';\nexport default preset();\n",
  );
  await writeFile(join(folder, 'test/one.test.ts'), "import { it } from 'vitest';\nit('passes', () => {});\n");
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const run = (...options: string[]) =>
    promisify(execFile)(process.execPath, [vitest, 'run', '--configLoader', 'runner', ...options], { cwd: folder });
  await run();
  expect(await readdir(join(folder, 'reports'))).toEqual(['test.json']);
  await rm(join(folder, 'reports'), { recursive: true });
  await run('--outputFile.json', 'reports/torture.json');
  expect(await readdir(join(folder, 'reports'))).toEqual(['torture.json']);
});
