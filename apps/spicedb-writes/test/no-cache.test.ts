import { timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { changesBy } from './changes.ts';
import { createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
let worker: Worker;
let running: Promise<void>;
const taskQueue = 'no-cache';

beforeAll(async () => {
  [env, world] = await Promise.all([timeSkippingEnvironment(), createWorld()]);
  worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(world.services),
    // Nothing is kept in memory: each step begins with a replay of all that went before.
    maxCachedWorkflows: 0,
  });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await world.close();
});

it('ALL-2 with a replay at each step, a post is written, given away, mended and deleted', async () => {
  const post = world.aPost();
  const { start, outcomeOf } = changesBy(env.client, taskQueue);
  expect(await outcomeOf('writePost', { post, author: 'bob' })).toMatchObject({ status: 'written', already: false });
  expect(await outcomeOf('transferPost', { post, to: 'carol' })).toMatchObject({ status: 'transferred', from: 'bob' });
  await world.stores.permissions.delete({ filter: { resourceType: 'post', resourceId: post, relation: 'author' } });
  expect(await outcomeOf('mendPost', { post })).toEqual({ status: 'mended', post });
  expect(await world.stores.both(post)).toMatchObject({ row: { author: 'carol' }, authors: ['carol'], fences: ['3'] });
  expect(await world.disagreements()).toEqual([]);

  // With the alarm in between, too.
  await world.spicedb.down();
  const handle = await start('deletePost', { post });
  await env.sleep('6 minutes');
  expect((await handle.describe()).searchAttributes).toMatchObject({ Status: ['needs-attention'] });
  await world.mend();
  expect(await handle.result()).toEqual({ status: 'deleted', post });
  expect(await world.stores.both(post)).toEqual({ generation: 4, authors: [], fences: ['4'] });
});
