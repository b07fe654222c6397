import { setTimeout as pause } from 'node:timers/promises';
import { inThisThread, realEnvironment, testWorker } from '@repo/testing';
import { afterAll } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { type Service, services, type TripRequest, tripWorkflowId } from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import type { trip } from '../src/workflows.ts';
import { createWorld, type RunningService } from './world.ts';

/**
 * The Temporal dev server that all files share, with three services and a worker of the file's own. To be called where the
 * file itself runs.
 */
export async function realServer(taskQueue: string) {
  process.env.TASK_QUEUE = taskQueue;
  const [env, world] = await Promise.all([realEnvironment(), createWorld()]);
  const { client } = env;
  const worker = testWorker(env, taskQueue, () => ({
    activities: createActivities(createServices(world.urls)),
    ...inThisThread(),
  }));
  await worker.start();
  afterAll(async () => {
    await worker.stop();
    await world.close();
  });
  const service = (name: Service): RunningService => world[name];
  return {
    world,
    client,
    native: env.nativeConnection,
    createWorker: (queue: string) => worker.create({ taskQueue: queue }),
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
  };
}

/** Asks until it holds, no oftener than a busy machine can answer; the test's own time limit ends it. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(100);
}
