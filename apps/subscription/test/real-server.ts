import { Faults, faultsAroundActivities, realEnvironment, testWorker } from '@repo/testing';
import { afterAll, expect, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import type { PlanInput, SubscriptionInput, SubscriptionOutcome, SubscriptionState } from '../src/contract.ts';
import { startedByAttribute, stateQuery, subscriptionWorkflowId } from '../src/contract.ts';
import type { subscription } from '../src/workflows.ts';
import { World } from './world.ts';

/** A plan whose periods are over within moments. */
export const quick: PlanInput = {
  name: 'quick',
  trial: 'none',
  period: { seconds: 1 },
  billing: 'in-advance',
  price: 100,
  currency: 'EUR',
  dunning: [{ seconds: 1 }, { seconds: 1 }],
};

/** One whose first period outlasts every test. */
export const hourly = { ...quick, name: 'hourly', period: { seconds: 3_600 } };

/**
 * The Temporal dev server that all files share, with databases, an inbox and a worker of the file's own, for what the
 * time-skipping one cannot do: a worker that is away, a reset, a terminate, lists. To be called where the file itself runs.
 * @param adminUrl of another PostgreSQL than the one that all files share
 */
export async function realServer(taskQueue: string, adminUrl?: string) {
  process.env.TASK_QUEUE = taskQueue;
  const [env, world] = await Promise.all([realEnvironment(), World.create(adminUrl)]);
  const { client } = env;
  /** Around every activity, by its name; for the workers that are started from now on. */
  const around = { faults: new Faults() };
  const worker = testWorker(env, taskQueue, () => ({
    activities: createActivities(world.services),
    // A task that was meant for a worker that is gone goes to the next one.
    stickyQueueScheduleToStartTimeout: '1 second',
    interceptors: {
      activity: [faultsAroundActivities((point, activity) => around.faults.reach(point, activity))],
    },
  }));
  await worker.start();
  afterAll(async () => {
    around.faults.off();
    world.faults.off();
    await worker.stop();
    await world.end();
  });
  const handleOf = ({ subscriptionId }: Pick<SubscriptionInput, 'subscriptionId'>) =>
    client.workflow.getHandle<typeof subscription>(subscriptionWorkflowId(subscriptionId));
  return {
    world,
    client,
    worker,
    around,
    handleOf,
    stateOf: (request: SubscriptionInput): Promise<SubscriptionState> => handleOf(request).query(stateQuery),
    start: (request: SubscriptionInput) =>
      client.workflow.start<typeof subscription>('subscription', {
        workflowId: subscriptionWorkflowId(request.subscriptionId),
        taskQueue,
        args: [request],
        workflowTaskTimeout: '2 seconds',
        typedSearchAttributes: [{ key: startedByAttribute, value: 'ada' }],
      }),
    /** How it ends. Ledger and inbox have to agree. */
    endOf: async (request: SubscriptionInput): Promise<SubscriptionOutcome> => {
      const outcome = (await handleOf(request).result()) as SubscriptionOutcome;
      expect(await world.wrongWith(outcome)).toEqual([]);
      return outcome;
    },
    /** Resolves with the state once it is so. */
    until: async (request: SubscriptionInput, isSo: (state: SubscriptionState) => boolean) => {
      let state: SubscriptionState | undefined;
      await vi.waitFor(
        async () => {
          state = await handleOf(request).query(stateQuery);
          if (!isSo(state)) throw new Error(`not so yet: ${JSON.stringify(state)}`);
        },
        { timeout: 30_000, interval: 100 },
      );
      return state as SubscriptionState;
    },
    /** Resolves when this time (ISO 8601) is over. */
    past: (time: string) => vi.waitFor(() => expect(Date.now()).toBeGreaterThan(Date.parse(time)), 30_000),
  };
}
