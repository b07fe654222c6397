import { Faults, faultsAroundActivities, testWorker, timeSkippingEnvironment } from '@repo/testing';
import type { Worker, WorkerOptions } from '@temporalio/worker';
import { afterAll, afterEach, beforeEach, expect, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import type { Environment } from '../src/contract.ts';
import { talk } from './talk.ts';
import { World } from './world.ts';

/**
 * A time-skipping Temporal, four environments and records of a test file's own. After each test hosts and records must
 * agree. To be called where the file itself runs.
 * @param options.serve whether a worker runs all the time
 * @param options.hosts as in `World.create`
 */
export async function timeSkipping(
  taskQueue: string,
  { serve = true, hosts }: { serve?: boolean; hosts?: readonly Environment[] } = {},
) {
  const [env, world] = await Promise.all([timeSkippingEnvironment(), World.create({ hosts })]);
  process.env.TASK_QUEUE = taskQueue;
  /** Around every activity, by its name. */
  const around = { faults: new Faults() };
  const worker = testWorker(env, taskQueue, () => ({
    activities: createActivities(world.services),
    interceptors: { activity: [faultsAroundActivities((point, activity) => around.faults.reach(point, activity))] },
  }));
  if (serve) await worker.start();

  beforeEach(() => {
    around.faults = new Faults();
  });
  afterEach(async () => {
    around.faults.off();
    await world.postgres.up();
    expect(await world.wrong()).toEqual([]);
  });
  afterAll(async () => {
    around.faults.off();
    await worker.stop();
    await world.end();
  });

  return {
    env,
    world,
    around,
    createWorker: (more: Partial<WorkerOptions> = {}): Promise<Worker> => worker.create(more),
    startWorker: worker.start,
    stopWorker: worker.stop,
    ...talk(env.client, taskQueue),
    /** Resolves when a fault was met, such as `before-transaction of activate`. */
    met: (fault: string) => vi.waitFor(() => expect(around.faults.met).toContain(fault), 30_000),
  };
}
