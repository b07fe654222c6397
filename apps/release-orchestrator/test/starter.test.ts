import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { spawnChild } from '@repo/dev-stack';
import { temporalAddress } from '@repo/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { World } from './world.ts';

const run = promisify(execFile);
const program = (name: string) => fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));
const temporal = () => ({
  TEMPORAL_ADDRESS: temporalAddress(),
  TEMPORAL_NAMESPACE: 'default',
  TASK_QUEUE: 'starter-r',
});
let world: World;
let worker: Awaited<ReturnType<typeof spawnChild>>;
let folder: string;

beforeAll(async () => {
  [world, folder] = await Promise.all([World.create(), mkdtemp(join(tmpdir(), 'release-starter-'))]);
  const env = { ...world.env, ...temporal() };
  const logFile = join(folder, 'worker.log');
  worker = await spawnChild({ name: 'worker', file: program('worker'), env, logFile, ready: 'ready' });
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([world.end(), rm(folder, { recursive: true })]);
});

const starter = (json: string) =>
  run(process.execPath, ['--import', 'tsx/esm', program('starter'), json], {
    env: { ...process.env, ...temporal() },
  });

it('REL-1 worker and starter are programs: a release as plain JSON comes to its approval', async () => {
  const request = await world.aRelease();
  const { stdout } = await starter(JSON.stringify(request));
  expect(stdout).toContain(`status: 'waiting-for-approval'`);
  expect(await world.records.release(request.release)).toMatchObject({ requestedBy: 'Ada' });
});

it('bad input is refused by field, with exit code 2, and nothing is begun', async () => {
  const request = await world.aRelease({ environments: ['prod'] });
  const refused = await starter(JSON.stringify(request)).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('environments: must have qc') });
  expect(await world.records.release(request.release)).toBeUndefined();
});
