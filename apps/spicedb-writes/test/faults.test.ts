import { Faults, faultsAroundActivities, timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { changesBy } from './changes.ts';
import { createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
let worker: Worker;
let running: Promise<void>;
let faults: Faults;
const taskQueue = 'faults';
const steps = ['look', 'begin', 'apply', 'settle'];

beforeAll(async () => {
  [env, world] = await Promise.all([timeSkippingEnvironment(), createWorld()]);
  // Within a step: PostgreSQL has committed, or SpiceDB has written, and the answer does not arrive.
  const { posts, permissions } = world.services;
  const after = async <Answer>(operation: string, answer: Promise<Answer>): Promise<Answer> => {
    await answer;
    await faults.reach('after-commit', operation);
    return answer;
  };
  const services = {
    ...world.services,
    posts: {
      look: posts.look,
      begin: (change: Parameters<typeof posts.begin>[0]) => after('begin', posts.begin(change)),
      settle: (change: Parameters<typeof posts.settle>[0]) => after('settle', posts.settle(change)),
    },
    permissions: {
      ...permissions,
      write: (...request: Parameters<typeof permissions.write>) => after('apply', permissions.write(...request)),
    },
  };
  worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(services),
    interceptors: { activity: [faultsAroundActivities((point, activity) => faults.reach(point, activity))] },
  });
  running = worker.run();
});
beforeEach(() => {
  faults = new Faults();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await world.close();
});

/** A post that is written, given away, refused to somebody else, and deleted, each with what the stores hold afterwards. */
async function aLife() {
  const post = world.aPost();
  const { outcomeOf } = changesBy(env.client, taskQueue);
  expect(await outcomeOf('writePost', { post, author: 'bob' })).toMatchObject({ status: 'written', already: false });
  expect(await world.stores.both(post)).toMatchObject({ row: { author: 'bob' }, generation: 1, authors: ['bob'] });
  expect(await outcomeOf('transferPost', { post, to: 'carol' })).toMatchObject({ status: 'transferred', from: 'bob' });
  expect(await outcomeOf('writePost', { post, author: 'bob' })).toMatchObject({ status: 'refused' });
  expect(await world.stores.both(post)).toMatchObject({ row: { author: 'carol' }, generation: 2, authors: ['carol'] });
  expect(await world.disagreements()).toEqual([]);
  expect(await outcomeOf('deletePost', { post })).toEqual({ status: 'deleted', post });
  expect(await world.stores.both(post)).toEqual({ generation: 3, authors: [], fences: ['3'] });
}

describe('a fault at each step', () => {
  it.each([
    ['before-transaction', steps],
    ['after-commit', ['begin', 'apply', 'settle']],
    ['before-return', steps],
  ] as const)('%s, two times each', async (point, at) => {
    faults.on(...at.map((of) => ({ point, of, calls: 2 })));
    await aLife();
    expect(faults.met.toSorted()).toEqual(at.flatMap((of) => [`${point} of ${of}`, `${point} of ${of}`]).toSorted());
  });

  it.each([1, 2, 3])('by chance, seed %i', async (seed) => {
    faults = new Faults(seed);
    faults.on(
      { point: 'before-transaction', chance: 0.3 },
      { point: 'after-commit', chance: 0.3 },
      { point: 'before-return', chance: 0.3 },
    );
    await aLife();
    expect(faults.met.length).toBeGreaterThan(3);
  });
});
