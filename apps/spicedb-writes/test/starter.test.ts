import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { spawnChild } from '@repo/dev-stack';
import { temporalAddress } from '@repo/testing';
import { Client, Connection, isGrpcCancelledError } from '@temporalio/client';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { postWorkflowId } from '../src/contract.ts';
import { write } from '../src/starter.ts';
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

it('waiting for another change of the post ends when its call is lost, and does not begin anew', async () => {
  const client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
  const post = world.aPost();
  const place = { workflowId: postWorkflowId(post), taskQueue: 'nobody-serves-this' };
  const held = await client.workflow.start('writePost', { ...place, args: [{ post, author: 'bob' }] });
  const lost = new AbortController();
  const getHandle = vi.spyOn(client.workflow, 'getHandle');
  const waiting = client.withAbortSignal(lost.signal, () => write(client, { post, author: 'bob' }, 'test'));
  const refused = expect(waiting).rejects.toSatisfy(isGrpcCancelledError);
  await vi.waitFor(() => expect(getHandle).toHaveBeenCalled(), 10_000);
  lost.abort();
  await refused;
  await held.terminate();
  await client.connection.close();
});
