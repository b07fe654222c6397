import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { spawnChild } from '@repo/dev-stack';
import { temporalAddress } from '@repo/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorld, type World } from './world.ts';

const run = promisify(execFile);
const program = (name: string) => fileURLToPath(new URL(`../src/${name}.ts`, import.meta.url));
const temporal = () => ({ TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: 'default', TASK_QUEUE: 'starter' });
let world: World;
let worker: Awaited<ReturnType<typeof spawnChild>>;
let folder: string;

beforeAll(async () => {
  [world, folder] = await Promise.all([createWorld(), mkdtemp(join(tmpdir(), 'spicedb-writes-'))]);
  const env = { ...world.env, ...temporal() };
  const logFile = join(folder, 'worker.log');
  worker = await spawnChild({ name: 'worker', file: program('worker'), env, logFile, ready: 'ready' });
});
afterAll(async () => {
  await worker.stop();
  await Promise.all([world.close(), rm(folder, { recursive: true })]);
});

const starter = (...args: string[]) =>
  run(process.execPath, ['--import', 'tsx/esm', program('starter'), ...args], {
    env: { ...process.env, ...temporal() },
  });

it('SPI-2 worker and starter are programs: --author bob --post …', async () => {
  const post = world.aPost();
  const { stdout } = await starter('--author', 'bob', '--post', post);
  expect(stdout).toContain(`status: 'written'`);
  expect(await world.stores.both(post)).toMatchObject({ row: { author: 'bob', status: 'active' }, authors: ['bob'] });
});

it('bad input is refused by field, with exit code 2, and nothing is written', async () => {
  const refused = await starter('--author', 'bob@home', '--post', '').catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^(post|author): must .*\n(post|author): must .*\n$/),
  });
  expect(await world.disagreements()).toEqual([]);
});
