import { describeEveryActivity, timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { type ActivityInterceptorsFactory, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Activities, type Applied, createActivities } from '../src/activities.ts';
import { changesBy } from './changes.ts';
import { createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
const taskQueue = 'activities-twice';

beforeAll(async () => {
  [env, world] = await Promise.all([timeSkippingEnvironment(), createWorld()]);
});
afterAll(() => world.close());

/** Each attempt may answer with another token, of another moment at which the write was there: they count as one here. */
function tokensAreAlike(): ActivityInterceptorsFactory {
  const first = new Map<string, Applied>();
  return () => ({
    inbound: {
      execute: async (input, next) => {
        const answer = (await next(input)) as Applied | undefined;
        if (typeof answer !== 'object' || !('token' in answer)) return answer;
        const write = JSON.stringify(input.args);
        first.set(write, first.get(write) ?? answer);
        return first.get(write);
      },
    },
  });
}

describeEveryActivity<Activities>({
  activities: { look: {}, begin: {}, apply: {}, settle: {}, inspect: {} },
  createWorker: (activity) =>
    Worker.create({
      connection: env.nativeConnection,
      taskQueue,
      workflowBundle: workflowBundle(),
      activities: createActivities(world.services),
      interceptors: { activity: [...activity, tokensAreAlike()] },
    }),
  run: async () => {
    const { outcomeOf } = changesBy(env.client, taskQueue);
    const [kept, deleted] = [world.aPost(), world.aPost()];
    expect(await outcomeOf('writePost', { post: kept, author: 'bob' })).toMatchObject({ already: false });
    expect(await outcomeOf('transferPost', { post: kept, to: 'carol' })).toMatchObject({ from: 'bob', already: false });
    expect(await outcomeOf('mendPost', { post: kept })).toEqual({ status: 'consistent', post: kept });
    expect(await world.stores.both(kept)).toMatchObject({
      row: { author: 'carol' },
      generation: 2,
      authors: ['carol'],
    });

    await outcomeOf('writePost', { post: deleted, author: 'bob' });
    expect(await outcomeOf('deletePost', { post: deleted })).toEqual({ status: 'deleted', post: deleted });
    expect(await world.stores.both(deleted)).toEqual({ generation: 2, authors: [], fences: ['2'] });
    expect(await world.disagreements()).toEqual([]);
  },
});
