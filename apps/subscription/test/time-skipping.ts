import { Faults, testWorker, timeSkippingEnvironment } from '@repo/testing';
import { afterAll, afterEach, beforeEach, expect, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import type { SubscriptionInput, SubscriptionOutcome, SubscriptionState } from '../src/contract.ts';
import { startedByAttribute, stateQuery, subscriptionWorkflowId } from '../src/contract.ts';
import type { subscription } from '../src/workflows.ts';
import { World } from './world.ts';

/**
 * A time-skipping Temporal, databases and an inbox of a test file's own. After each test the books must be right. To be called
 * where the file itself runs: in a hook of its own, the hooks in here would not be heard of.
 * @param serve whether a worker runs all the time, on the app's default task queue
 */
export async function timeSkipping(taskQueue: string, { serve = true } = {}) {
  const [env, world] = await Promise.all([timeSkippingEnvironment(), World.create()]);
  process.env.TASK_QUEUE = taskQueue;
  const worker = testWorker(env, taskQueue, () => ({ activities: createActivities(world.services) }));
  if (serve) await worker.start();

  beforeEach(() => {
    world.faults = new Faults();
  });
  afterEach(async () => {
    world.faults.off();
    world.inbox.setFault(undefined);
    await Promise.all([world.postgres.up(), world.smtp.up()]);
    expect(await world.wrong()).toEqual([]);
  });
  afterAll(async () => {
    world.faults.off();
    await worker.stop();
    await world.end();
  });

  const handleOf = ({ subscriptionId }: Pick<SubscriptionInput, 'subscriptionId'>) =>
    env.client.workflow.getHandle<typeof subscription>(subscriptionWorkflowId(subscriptionId));
  const stateOf = (request: SubscriptionInput): Promise<SubscriptionState> => handleOf(request).query(stateQuery);
  return {
    env,
    world,
    worker,
    handleOf,
    stateOf,
    start: (request: SubscriptionInput) =>
      env.client.workflow.start<typeof subscription>('subscription', {
        workflowId: subscriptionWorkflowId(request.subscriptionId),
        taskQueue,
        args: [request],
        typedSearchAttributes: [{ key: startedByAttribute, value: 'ada' }],
      }),
    /** Now, by the clock of Temporal, so many milliseconds later. ISO 8601 in UTC. */
    later: async (milliseconds = 0) => new Date((await env.currentTimeMs()) + milliseconds).toISOString(),
    /** Skips time until a second after it. ISO 8601. What is failing meanwhile is tried every minute, in real time. */
    sleepPast: async (time: string | undefined) =>
      env.sleep(Math.max(0, Date.parse(time ?? '') - (await env.currentTimeMs())) + 1_000),
    /** How it ends. Ledger and inbox have to agree. */
    endOf: async (request: SubscriptionInput): Promise<SubscriptionOutcome> => {
      const outcome = (await handleOf(request).result()) as SubscriptionOutcome;
      expect(await world.wrongWith(outcome)).toEqual([]);
      return outcome;
    },
    /** Resolves with the state once it is so. Time is not skipped meanwhile. */
    until: async (request: SubscriptionInput, isSo: (state: SubscriptionState) => boolean) => {
      let state: SubscriptionState | undefined;
      await vi.waitFor(async () => {
        state = await stateOf(request);
        if (!isSo(state)) throw new Error(`not so yet: ${JSON.stringify(state)}`);
      }, 20_000);
      return state as SubscriptionState;
    },
    /** Resolves when a fault was met, such as `before-transaction of charge`. */
    met: (fault: string) => vi.waitFor(() => expect(world.faults.met).toContain(fault), 10_000),
  };
}

export const day = 86_400_000; // milliseconds
