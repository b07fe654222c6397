import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { freshWorkflowBundle } from '@repo/worker-kit';
import { expect, it, onTestFinished } from 'vitest';

it('a workflow bundle is kept until the SDK is another one, one of its files, or a package', async () => {
  // Here, where the SDK is found.
  const app = await mkdtemp(join(fileURLToPath(new URL('./fixtures/', import.meta.url)), 'fresh-'));
  onTestFinished(() => rm(app, { recursive: true }));
  const file = join(app, 'src/workflows.ts');
  await mkdir(join(app, 'src'));
  await writeFile(file, 'export async function nothing() {}\n');
  const bundledAt = async () => (await stat(await freshWorkflowBundle(pathToFileURL(file)))).mtimeMs;
  const first = await bundledAt();
  expect(await bundledAt()).toBe(first);

  const inputs = join(app, 'dist/workflows.inputs.json');
  const recorded = await readFile(inputs, 'utf8');
  expect(recorded).toMatch(/@temporalio\/worker [\d.]+/);
  await writeFile(inputs, recorded.replace(/@temporalio\/worker [\d.]+/, '@temporalio/worker 1.0.0'));
  const second = await bundledAt();
  expect(second).toBeGreaterThan(first);

  await writeFile(file, 'export async function something() {}\n');
  const third = await bundledAt();
  expect(third).toBeGreaterThan(second);
  // What pnpm leaves of the old version is as it was.
  await writeFile(join(app, 'pnpm-lock.yaml'), 'another version');
  const fourth = await bundledAt();
  expect(fourth).toBeGreaterThan(third);
  expect(await bundledAt()).toBe(fourth);
});
