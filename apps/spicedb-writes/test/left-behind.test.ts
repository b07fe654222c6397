import { timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { changesBy } from './changes.ts';
import { createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
let worker: Worker;
let running: Promise<void>;
let byHand: pg.Pool;
let start: ReturnType<typeof changesBy>['start'];
let outcomeOf: ReturnType<typeof changesBy>['outcomeOf'];
const taskQueue = 'left-behind';

beforeAll(async () => {
  [env, world] = await Promise.all([timeSkippingEnvironment(), createWorld()]);
  ({ start, outcomeOf } = changesBy(env.client, taskQueue));
  byHand = new pg.Pool({ connectionString: world.env.DATABASE_URL });
  worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(world.services),
  });
  running = worker.run();
});
afterEach(async () => {
  await world.mend();
  expect(await world.disagreements()).toEqual([]);
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await Promise.all([world.close(), byHand.end()]);
});

const may = (user: string, post: string) => world.services.readers.check({ user, post, permission: 'edit' });

/** Resolves when a step has failed and waits for its next attempt: a workflow with a running one must not be terminated here. */
const waitsInBackoff = (handle: WorkflowHandle) =>
  vi.waitFor(async () => {
    const [pending] = (await handle.describe()).raw.pendingActivities ?? [];
    if (pending?.activityType?.name !== 'apply' || !pending.lastFailure) throw new Error('not yet');
  }, 10_000);

const changes = {
  writePost: { change: 'write', status: 'pending' },
  transferPost: { change: 'transfer', status: 'transferring' },
  deletePost: { change: 'delete', status: 'deleting' },
} as const;

/** Starts a change of a post, whose SpiceDB is down from the second step on. */
async function stuck(type: keyof typeof changes) {
  const post = world.aPost();
  if (type !== 'writePost') await outcomeOf('writePost', { post, author: 'bob' });
  await world.spicedb.down();
  const request = { writePost: { post, author: 'bob' }, transferPost: { post, to: 'carol' }, deletePost: { post } };
  const handle = await start(type, request[type] as never);
  await waitsInBackoff(handle);
  return { post, handle };
}

describe.each(['writePost', 'transferPost', 'deletePost'] as const)('SPI-7 %s that was terminated', (type) => {
  /** The author once the change has been carried to its end. */
  const ends = { writePost: 'bob', transferPost: 'carol', deletePost: undefined }[type];
  const terminated = async () => {
    const { post, handle } = await stuck(type);
    await handle.terminate('by the test');
    await world.mend();
    expect(await world.stores.both(post)).toMatchObject({ row: { status: changes[type].status } });
    expect([await may('bob', post), await may('carol', post)]).toEqual([false, false]);
    return post;
  };

  it('is carried to its end by mendPost, which changes nothing the second time', async () => {
    const post = await terminated();
    expect(await outcomeOf('mendPost', { post })).toEqual({ status: 'mended', post });
    const both = await world.stores.both(post);
    expect(both?.row?.author).toBe(ends);
    expect(await outcomeOf('mendPost', { post })).toEqual({ status: 'consistent', post });
    expect(await world.stores.both(post)).toEqual(both);
  });

  it('is carried to its end by the next change, which goes by what it finds then', async () => {
    const post = await terminated();
    const written = await outcomeOf('writePost', { post, author: 'dora' });
    if (ends === undefined) expect(written).toMatchObject({ status: 'written', author: 'dora' });
    else expect(written).toMatchObject({ status: 'refused', reason: { owner: ends } });
    expect(await may(ends ?? 'dora', post)).toBe(true);
  });

  it('can be deleted', async () => {
    const post = await terminated();
    expect(await outcomeOf('deletePost', { post })).toMatchObject({ status: ends ? 'deleted' : 'not-found' });
    expect(await world.stores.both(post)).not.toHaveProperty('row.author');
  });
});

it('a change that is cancelled after it has begun goes on to its end', async () => {
  const { post, handle } = await stuck('transferPost');
  await handle.cancel();
  await world.mend();
  expect(await handle.result()).toMatchObject({ status: 'transferred', to: 'carol' });
  expect([await may('bob', post), await may('carol', post)]).toEqual([false, true]);
});

it('a change that is cancelled before it has begun ends, with nothing written', async () => {
  const post = world.aPost();
  await world.postgres.down();
  const handle = await start('writePost', { post, author: 'bob' });
  await vi.waitFor(async () => expect((await handle.describe()).raw.pendingActivities).toHaveLength(1));
  await handle.cancel();
  await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect(await world.stores.both(post)).toBeUndefined();
});

describe('SPI-7 what was changed by hand', () => {
  const author = (post: string, id: string) => ({
    resource: { type: 'post', id: post },
    relation: 'author',
    subject: { type: 'user', id },
  });
  const inSpiceDb = (operation: 'touch' | 'delete', post: string, id: string) =>
    world.stores.permissions.write({ updates: [{ operation, relationship: author(post, id) }] });

  it.each([
    ['the author is missing in SpiceDB', (post: string) => inSpiceDb('delete', post, 'bob'), 'bob'],
    ['there is a second author in SpiceDB', (post: string) => inSpiceDb('touch', post, 'mallory'), 'bob'],
    [
      'everything is missing in SpiceDB',
      (post: string) => world.stores.permissions.delete({ filter: { resourceType: 'post', resourceId: post } }),
      'bob',
    ],
    [
      'the row belongs to somebody else',
      (post: string) => byHand.query(`UPDATE posts SET author = 'carol' WHERE post = $1`, [post]),
      'carol',
    ],
    ['the row is gone', (post: string) => byHand.query('DELETE FROM posts WHERE post = $1', [post]), undefined],
    [
      'PostgreSQL has never heard of it',
      async (post: string) => {
        await byHand.query('DELETE FROM posts WHERE post = $1', [post]);
        await byHand.query('DELETE FROM post_generations WHERE post = $1', [post]);
      },
      undefined,
    ],
    [
      'PostgreSQL was set back to an older backup',
      (post: string) => byHand.query('UPDATE post_generations SET generation = 1 WHERE post = $1', [post]),
      'bob',
    ],
  ] as const)('%s: mendPost brings SpiceDB to what PostgreSQL says', async (_, damage, owner) => {
    const post = world.aPost();
    await outcomeOf('writePost', { post, author: 'carol' });
    await outcomeOf('transferPost', { post, to: 'bob' });
    await damage(post);
    expect(await world.disagreements()).not.toEqual([]);
    expect(await outcomeOf('mendPost', { post })).toEqual({ status: 'mended', post });
    const both = await world.stores.both(post);
    expect(both).toMatchObject({ authors: owner ? [owner] : [] });
    expect(both?.row?.author).toBe(owner);
    expect(await outcomeOf('mendPost', { post })).toEqual({ status: 'consistent', post });
    expect(await world.stores.both(post)).toEqual(both);
  });

  it('a post that PostgreSQL has forgotten can be written again', async () => {
    const post = world.aPost();
    await outcomeOf('writePost', { post, author: 'bob' });
    await outcomeOf('transferPost', { post, to: 'carol' });
    await byHand.query('DELETE FROM posts WHERE post = $1', [post]);
    await byHand.query('DELETE FROM post_generations WHERE post = $1', [post]);
    expect(await outcomeOf('writePost', { post, author: 'dora' })).toMatchObject({ status: 'written' });
    expect([await may('carol', post), await may('dora', post)]).toEqual([false, true]);
    expect(await world.stores.both(post)).toMatchObject({ generation: 3, authors: ['dora'], fences: ['3'] });
  });

  it('a change whose number SpiceDB has seen already, since PostgreSQL was set back, takes a later one', async () => {
    const post = world.aPost();
    await outcomeOf('writePost', { post, author: 'bob' });
    await outcomeOf('transferPost', { post, to: 'carol' });
    const setBack = `UPDATE post_generations SET generation = 1, change = 'write', author = 'bob' WHERE post = $1`;
    await byHand.query(setBack, [post]);
    await byHand.query(`UPDATE posts SET author = 'bob' WHERE post = $1`, [post]);
    expect(await outcomeOf('transferPost', { post, to: 'dora' })).toMatchObject({ status: 'transferred', from: 'bob' });
    expect([await may('carol', post), await may('dora', post)]).toEqual([false, true]);
    expect(await world.stores.both(post)).toMatchObject({ generation: 3, authors: ['dora'], fences: ['3'] });
  });
});
