import { setTimeout as pause } from 'node:timers/promises';
import { quietRuntime, temporalAddress, workflowBundle } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from '../src/activities.ts';
import { type Service, services, type TripRequest, tripWorkflowId } from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import type { trip } from '../src/workflows.ts';
import { createWorld, type RunningService } from './world.ts';

/**
 * The Temporal dev server that all files share, with three services and a worker of the file's own, for what the
 * time-skipping one cannot do: lists, schedules, reset, a terminate in the middle of an activity.
 */
export async function realServer(taskQueue: string) {
  quietRuntime();
  process.env.TASK_QUEUE = taskQueue;
  const address = temporalAddress();
  const world = await createWorld();
  const [connection, native] = await Promise.all([
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  const client = new Client({ connection });
  const createWorker = (queue: string) =>
    Worker.create({
      connection: native,
      taskQueue: queue,
      workflowBundle: workflowBundle(),
      activities: createActivities(createServices(world.urls)),
    });
  const worker = await createWorker(taskQueue);
  const running = worker.run();
  const service = (name: Service): RunningService => world[name];
  return {
    world,
    client,
    native,
    createWorker,
    handleOf: ({ tripId }: TripRequest) => client.workflow.getHandle<typeof trip>(tripWorkflowId(tripId)),
    start: (request: TripRequest) =>
      client.workflow.start<typeof trip>('trip', {
        workflowId: tripWorkflowId(request.tripId),
        taskQueue,
        args: [request],
      }),
    /** Breaks the wire of a service for calls of this method alone. */
    spoil: (name: Service, method: string, how: RunningService['wire']) => {
      service(name).onCall = (arrived) => {
        service(name).wire = arrived === method ? how : 'carries';
      };
    },
    mend: () => {
      for (const name of services) {
        service(name).onCall = () => {};
        service(name).wire = 'carries';
      }
    },
    close: async () => {
      worker.shutdown();
      await running;
      await Promise.all([native.close(), connection.close(), world.close()]);
    },
  };
}

export type RealServer = Awaited<ReturnType<typeof realServer>>;

/** Asks until it holds; the test's own time limit ends it. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(20);
}
