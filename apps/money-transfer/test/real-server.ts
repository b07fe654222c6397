import { Faults, faultsAroundActivities, quietRuntime, temporalAddress, workflowBundle } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { type ActivityInterceptorsFactory, NativeConnection, Worker } from '@temporalio/worker';
import { afterAll } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { type TransferInput, transferWorkflowId } from '../src/contract.ts';
import type { transfer } from '../src/workflows.ts';
import { World } from './world.ts';

/**
 * The Temporal dev server that all files share, with a ledger and a worker of the file's own, for what the time-skipping
 * one cannot do: many at once, a terminate in the middle of an activity, a worker that is away. To be called where the file
 * itself runs.
 * @param adminUrl of another PostgreSQL than the one that all files share
 */
export async function realServer(taskQueue: string, adminUrl?: string) {
  quietRuntime();
  process.env.TASK_QUEUE = taskQueue;
  const address = temporalAddress();
  const [world, connection, native] = await Promise.all([
    World.create(adminUrl),
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  const client = new Client({ connection });
  /** Around every activity: faults by its name, and how often it runs. For the workers that are started from now on. */
  const around: { faults: Faults; each?: ActivityInterceptorsFactory | undefined } = { faults: new Faults() };
  let worker: Worker | undefined;
  let running: Promise<void> | undefined;
  const startWorker = async () => {
    worker = await Worker.create({
      connection: native,
      taskQueue,
      workflowBundle: workflowBundle(),
      activities: createActivities(world.services),
      stickyQueueScheduleToStartTimeout: '1 second',
      interceptors: {
        activity: [
          faultsAroundActivities((point, activity) => around.faults.reach(point, activity)),
          ...(around.each ? [around.each] : []),
        ],
      },
    });
    running = worker.run();
  };
  const stopWorker = async () => {
    worker?.shutdown();
    worker = undefined;
    await running;
  };
  await startWorker();
  afterAll(async () => {
    around.faults.off();
    world.faults.off();
    await stopWorker();
    await Promise.all([native.close(), connection.close(), world.end()]);
  });
  return {
    world,
    client,
    around,
    startWorker,
    stopWorker,
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
