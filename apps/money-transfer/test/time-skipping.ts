import { Faults, testWorker, timeSkippingEnvironment } from '@repo/testing';
import { afterAll, afterEach, beforeEach, expect, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { type TransferInput, type TransferOutcome, transferWorkflowId } from '../src/contract.ts';
import { disagreement } from '../src/extras/invariants.ts';
import type { transfer } from '../src/workflows.ts';
import { World } from './world.ts';

/**
 * A time-skipping Temporal and a ledger of a test file's own. After each test the books must be right. To be called where
 * the file itself runs: in a hook of its own, the hooks in here would not be heard of.
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
    await world.postgres.up();
    expect(await world.wrong()).toEqual([]);
  });
  afterAll(async () => {
    world.faults.off();
    await worker.stop();
    await world.end();
  });

  const handleOf = ({ reference }: TransferInput) =>
    env.client.workflow.getHandle<typeof transfer>(transferWorkflowId(reference));
  const start = (request: TransferInput) =>
    env.client.workflow.start<typeof transfer>('transfer', {
      workflowId: transferWorkflowId(request.reference),
      taskQueue,
      args: [request],
    });
  return {
    env,
    world,
    createWorker: worker.create,
    startWorker: worker.start,
    stopWorker: worker.stop,
    handleOf,
    start,
    /** What `outcomeUpdate` answers. Time is not skipped meanwhile. */
    outcomeOf: (request: TransferInput) => handleOf(request).executeUpdate<TransferOutcome, []>('outcome'),
    /** The end of a transfer, with which the ledger has to agree. */
    endOf: async (request: TransferInput): Promise<TransferOutcome> => {
      const ending = await handleOf(request).result();
      expect(await disagreement(world.ledger, ending)).toBeUndefined();
      return ending;
    },
    /** Resolves when a leg has failed and waits for its next attempt. */
    failing: (request: TransferInput) =>
      vi.waitFor(async () => {
        const [pending] = (await handleOf(request).describe()).raw.pendingActivities ?? [];
        if (!pending?.lastFailure) throw new Error('it has not failed yet');
      }, 10_000),
    /** Resolves when a fault was met, such as `before-transaction of deposit`. */
    met: (fault: string) => vi.waitFor(() => expect(world.faults.met).toContain(fault), 10_000),
  };
}
