import { setTimeout as pause } from 'node:timers/promises';
import { joinStack } from '@repo/dev-stack';
import { workflowBundle } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from '../src/activities.ts';
import { type Service, services, type TripRequest, tripWorkflowId } from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import type { trip } from '../src/workflows.ts';
import { createWorld, type RunningService } from './world.ts';

/**
 * A Temporal dev server of a test file's own with the three services and a worker, for what the time-skipping one
 * cannot do: lists, schedules, reset, a terminate in the middle of an activity.
 */
export async function devServer(taskQueue: string) {
  const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
  process.env.TASK_QUEUE = taskQueue;
  const [stack, world] = await Promise.all([
    joinStack({ need: ['temporal'], ephemeral: true, ignoreEnvironment: true }),
    createWorld(),
  ]);
  const address = stack.temporal?.address ?? '';
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
      await stack.leave();
    },
  };
}

export type DevServer = Awaited<ReturnType<typeof devServer>>;

/** Asks until it holds; the test's own time limit ends it. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(20);
}
