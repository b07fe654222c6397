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
  TASK_QUEUE: 'subscription-starter',
});
let world: World;
let worker: Awaited<ReturnType<typeof spawnChild>>;
let folder: string;

beforeAll(async () => {
  [world, folder] = await Promise.all([World.create(), mkdtemp(join(tmpdir(), 'subscription-'))]);
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

it('SUB-1 worker and starter are programs: what is subscribed to as plain JSON stands', async () => {
  const request = await world.aSubscription({ plan: 'phone-36' });
  const { stdout } = await starter(JSON.stringify(request));
  expect(stdout).toContain(`status: 'active'`);
});

it('bad input is refused by field, with exit code 2', async () => {
  const request = await world.aSubscription();
  const json = JSON.stringify(request).replace('"price":1000', '"price":1e400');
  const refused = await starter(json).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^plan.price: must be a whole number .*\n$/),
  });
  expect(await world.asked(request.subscriptionId)).toEqual([]);
});
