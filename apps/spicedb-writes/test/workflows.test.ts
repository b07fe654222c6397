import { timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { type PostState, postWorkflowId, stateQuery } from '../src/contract.ts';
import { write } from '../src/starter.ts';
import { changesBy } from './changes.ts';
import { createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
let worker: Worker;
let running: Promise<void>;
const taskQueue = 'spicedb-writes-test';

async function startWorker() {
  worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(world.services),
  });
  running = worker.run();
}

beforeAll(async () => {
  [env, world] = await Promise.all([timeSkippingEnvironment(), createWorld()]);
  process.env.TASK_QUEUE = taskQueue;
  await startWorker();
});
afterEach(async () => {
  await world.mend();
  expect(await world.disagreements()).toEqual([]);
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await world.close();
});

const start: ReturnType<typeof changesBy>['start'] = (...change) => changesBy(env.client, taskQueue).start(...change);
const outcomeOf: ReturnType<typeof changesBy>['outcomeOf'] = (...change) =>
  changesBy(env.client, taskQueue).outcomeOf(...change);

const may = (user: string, post: string) => world.services.readers.check({ user, post, permission: 'edit' });

describe('SPI-1 a post', () => {
  it('is written to both stores, and its author may edit it at once', async () => {
    const post = world.aPost();
    expect(await write(env.client, { author: 'bob', post }, 'ada')).toEqual({
      status: 'written',
      post,
      author: 'bob',
      already: false,
    });
    expect([await may('bob', post), await may('carol', post)]).toEqual([true, false]);
    expect(await world.stores.both(post)).toEqual({
      row: { author: 'bob', status: 'active' },
      generation: 1,
      authors: ['bob'],
      fences: ['1'],
    });
    const handle = env.client.workflow.getHandle(postWorkflowId(post));
    expect((await handle.describe()).searchAttributes).toMatchObject({ Status: ['written'], StartedBy: ['ada'] });
    expect(await handle.query(stateQuery)).toMatchObject({ post, status: 'written', outcome: { author: 'bob' } });
  });

  it('SPI-5 that is there already is no error, and is not written again', async () => {
    const post = world.aPost();
    await outcomeOf('writePost', { author: 'bob', post });
    const before = await world.stores.both(post);
    expect(await outcomeOf('writePost', { author: 'bob', post })).toMatchObject({ status: 'written', already: true });
    expect(await world.stores.both(post)).toEqual(before);
  });

  it('of another author is refused with the name of its owner, whose grant stays', async () => {
    const post = world.aPost();
    await outcomeOf('writePost', { author: 'bob', post });
    const before = await world.stores.both(post);
    expect(await outcomeOf('writePost', { author: 'carol', post })).toEqual({
      status: 'refused',
      post,
      reason: { type: 'PostTaken', owner: 'bob', message: `${post} belongs to bob` },
    });
    expect(await world.stores.both(post)).toEqual(before);
    expect([await may('bob', post), await may('carol', post)]).toEqual([true, false]);
  });
});

describe('SPI-7 a post', () => {
  it('that is given away belongs to the new author, and to the old one no more', async () => {
    const post = world.aPost();
    await outcomeOf('writePost', { author: 'bob', post });
    expect(await outcomeOf('transferPost', { post, to: 'carol' })).toEqual({
      status: 'transferred',
      post,
      from: 'bob',
      to: 'carol',
      already: false,
    });
    expect([await may('bob', post), await may('carol', post)]).toEqual([false, true]);
    expect(await outcomeOf('transferPost', { post, to: 'carol' })).toMatchObject({
      status: 'transferred',
      already: true,
    });
    expect(await world.stores.both(post)).toMatchObject({ generation: 2, authors: ['carol'] });
  });

  it('that is deleted is gone, and can be written by somebody else', async () => {
    const post = world.aPost();
    await outcomeOf('writePost', { author: 'bob', post });
    expect(await outcomeOf('deletePost', { post })).toEqual({ status: 'deleted', post });
    expect(await world.stores.both(post)).toEqual({ generation: 2, authors: [], fences: ['2'] });
    await expect(may('bob', post)).rejects.toMatchObject({ name: 'InvalidInputError' });
    expect(await outcomeOf('deletePost', { post })).toEqual({ status: 'not-found', post });
    await outcomeOf('writePost', { author: 'carol', post });
    expect([await may('bob', post), await may('carol', post)]).toEqual([false, true]);
  });

  it('that nobody has written is not found, and leaves nothing behind', async () => {
    const post = world.aPost();
    expect(await outcomeOf('deletePost', { post })).toEqual({ status: 'not-found', post });
    expect(await outcomeOf('transferPost', { post, to: 'carol' })).toEqual({ status: 'not-found', post });
    expect(await outcomeOf('mendPost', { post })).toEqual({ status: 'consistent', post });
    expect(await world.stores.both(post)).toBeUndefined();
  });
});

describe('SPI-3 SPI-4 a store that is down', () => {
  it.each(['postgres', 'spicedb'] as const)('%s: the write is tried until it succeeds', async (store) => {
    const post = world.aPost();
    await world[store].down();
    const handle = await start('writePost', { author: 'bob', post });
    await env.sleep('1 minute');
    expect(await handle.query(stateQuery)).toEqual({ post, status: 'changing' });
    await world[store].up();
    expect(await handle.result()).toMatchObject({ status: 'written' });
    const { events } = await handle.fetchHistory();
    const scheduled = events?.map((event) => event.activityTaskScheduledEventAttributes).find(Boolean);
    expect(scheduled?.retryPolicy).toMatchObject({ backoffCoefficient: 2, maximumAttempts: 0 });
    expect(Number(scheduled?.retryPolicy?.initialInterval?.seconds)).toBe(1);
    expect(Number(scheduled?.retryPolicy?.maximumInterval?.seconds)).toBe(100);
    expect(await may('bob', post)).toBe(true);
  });

  it.each([
    ['postgres', 'DatabaseUnavailable', /ECONNREFUSED/],
    ['spicedb', 'PermissionsUnavailable', /./],
  ] as const)(
    '%s, for more than five minutes: says what is wrong, and goes on by itself',
    async (store, type, message) => {
      const post = world.aPost();
      await world[store].down();
      const handle = await start('writePost', { author: 'bob', post });
      await env.sleep('6 minutes');
      const state: PostState = await handle.query(stateQuery);
      expect(state).toMatchObject({
        status: 'needs-attention',
        problem: { type, message: expect.stringMatching(message) },
      });
      expect((await handle.describe()).searchAttributes).toMatchObject({ Status: ['needs-attention'] });
      await world[store].up();
      expect(await handle.result()).toMatchObject({ status: 'written' });
      expect(await handle.query(stateQuery)).toMatchObject({ status: 'written' });
      expect(await handle.query(stateQuery)).not.toHaveProperty('problem');
    },
  );
});

describe('bad input', () => {
  it.each([
    ['writePost', { post: '', author: 'bob' }, 'post: must not be empty'],
    ['writePost', { post: 'p', author: 'bob@home' }, 'author: must have no other characters'],
    ['transferPost', { post: 'p', to: '*' }, 'to: must not be *'],
    ['deletePost', { post: 'x'.repeat(2000) }, 'post: must have at most 256 characters'],
    ['mendPost', {} as never, 'post: must be a string'],
  ] as const)('%s fails and writes nothing: %j', async (type, request, message) => {
    const handle = await start(type, request as never, `post:${request.post?.slice(0, 20)}`);
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: 'InvalidPost', nonRetryable: true, message: expect.stringContaining(message) },
    });
  });

  it('another workflow id than the one of the post is refused', async () => {
    const post = world.aPost();
    const handle = await start('writePost', { author: 'bob', post }, `${post}-by-hand`);
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'InvalidPost' } });
    expect(await world.stores.both(post)).toBeUndefined();
  });
});
