import { Faults, faultsAroundActivities, quietRuntime, temporalAddress, workflowBundle } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeEach, expect, vi } from 'vitest';
import { type Activities, createActivities } from '../src/activities.ts';
import type { Environment } from '../src/contract.ts';
import { talk } from './talk.ts';
import { World } from './world.ts';

/**
 * The Temporal dev server that all files share, with environments, records and a worker of the file's own, for what the
 * time-skipping one cannot do: cancel and terminate in the middle of an activity, many at once. After each test hosts and
 * records must agree. To be called where the file itself runs.
 * @param own servers for the file alone, to stop and start; `hosts` as in `World.create`
 */
export async function realServer(
  taskQueue: string,
  own: { postgresUrl?: string; temporalAddress?: string; hosts?: readonly Environment[] } = {},
) {
  quietRuntime();
  process.env.TASK_QUEUE = taskQueue;
  const address = own.temporalAddress ?? temporalAddress();
  const [world, connection, native] = await Promise.all([
    World.create({ adminUrl: own.postgresUrl, hosts: own.hosts }),
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  const client = new Client({ connection });
  /** Around every activity, by its name. */
  const around = { faults: new Faults() };
  let worker: Worker | undefined;
  let running: Promise<void> | undefined;
  /** @param changed what these activities are instead, as in a version with a bug */
  const startWorker = async (changed: Partial<Activities> = {}) => {
    worker = await Worker.create({
      connection: native,
      taskQueue,
      workflowBundle: workflowBundle(),
      activities: { ...createActivities(world.services), ...changed },
      stickyQueueScheduleToStartTimeout: '1 second',
      interceptors: { activity: [faultsAroundActivities((point, activity) => around.faults.reach(point, activity))] },
    });
    running = worker.run();
  };
  const stopWorker = async () => {
    worker?.shutdown();
    worker = undefined;
    await running;
  };
  await startWorker();
  beforeEach(() => {
    around.faults = new Faults();
  });
  afterEach(async () => {
    around.faults.off();
    expect(await world.wrong()).toEqual([]);
  });
  afterAll(async () => {
    around.faults.off();
    await stopWorker();
    await Promise.all([native.close(), connection.close(), world.end()]);
  });
  return {
    world,
    client,
    around,
    startWorker,
    stopWorker,
    ...talk(client, taskQueue),
    /** Resolves when a fault was met, such as `before-transaction of activate`. */
    met: (fault: string) => vi.waitFor(() => expect(around.faults.met).toContain(fault), 30_000),
  };
}
