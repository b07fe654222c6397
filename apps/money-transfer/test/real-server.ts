import { Faults, faultsAroundActivities, realEnvironment, testWorker } from '@repo/testing';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { afterAll } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { type TransferInput, transferWorkflowId } from '../src/contract.ts';
import type { transfer } from '../src/workflows.ts';
import { World } from './world.ts';

/**
 * The Temporal dev server that all files share, with a ledger and a worker of the file's own. To be called where the file
 * itself runs.
 * @param adminUrl of another PostgreSQL than the one that all files share
 */
export async function realServer(taskQueue: string, adminUrl?: string) {
  process.env.TASK_QUEUE = taskQueue;
  const [env, world] = await Promise.all([realEnvironment(), World.create(adminUrl)]);
  const { client } = env;
  /** Around every activity: faults by its name, and how often it runs. For the workers that are started from now on. */
  const around: { faults: Faults; each?: ActivityInterceptorsFactory | undefined } = { faults: new Faults() };
  const worker = testWorker(env, taskQueue, () => ({
    activities: createActivities(world.services),
    // A task that was meant for a worker that is gone goes to the next one.
    stickyQueueScheduleToStartTimeout: '1 second',
    interceptors: {
      activity: [
        faultsAroundActivities((point, activity) => around.faults.reach(point, activity)),
        ...(around.each ? [around.each] : []),
      ],
    },
  }));
  await worker.start();
  afterAll(async () => {
    around.faults.off();
    world.faults.off();
    await worker.stop();
    await world.end();
  });
  return {
    world,
    client,
    around,
    startWorker: worker.start,
    stopWorker: worker.stop,
    handleOf: ({ reference }: TransferInput) =>
      client.workflow.getHandle<typeof transfer>(transferWorkflowId(reference)),
    start: (request: TransferInput) =>
      client.workflow.start<typeof transfer>('transfer', {
        workflowId: transferWorkflowId(request.reference),
        taskQueue,
        args: [request],
      }),
  };
}
