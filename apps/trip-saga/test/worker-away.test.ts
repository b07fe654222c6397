import { timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import { Worker } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { cancelSignal, services, tripWorkflowId } from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import { bookTrip } from '../src/starter.ts';
import type { trip } from '../src/workflows.ts';
import { aTrip, createWorld } from './world.ts';

it.each([
  ['before the departure counts', -1000, 'cancelled', []],
  ['after the departure changes nothing', 1000, 'booked', services],
])('TRIP-8 a cancellation asked for %s, if no worker was up over it', async (_, afterDeparture, status, left) => {
  // An environment of its own: its clock stands still while any workflow task waits for a worker.
  const env = await timeSkippingEnvironment();
  const world = await createWorld();
  process.env.TASK_QUEUE = 'worker-away';
  const withWorker = async <Result>(work: () => Promise<Result>) => {
    const worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: 'worker-away',
      workflowBundle: workflowBundle(),
      activities: createActivities(createServices(world.urls)),
      // The test server would for ever keep a task for the cache of a worker that is gone.
      maxCachedWorkflows: 0,
    });
    return worker.runUntil(work);
  };

  const request = aTrip(await env.currentTimeMs());
  const handle = env.client.workflow.getHandle<typeof trip>(tripWorkflowId(request.tripId));
  await withWorker(() => bookTrip(env.client, request, 'ada'));
  const departure = Date.parse(request.departure);
  await env.sleep(departure - (await env.currentTimeMs()));
  await handle.signal(cancelSignal, { requestedAt: new Date(departure + afterDeparture).toISOString() });
  expect(await withWorker(() => handle.result())).toMatchObject({ status });
  expect(await world.books.activeBookings(request.tripId)).toEqual(left);
  await world.close();
});
