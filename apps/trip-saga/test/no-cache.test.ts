import { timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { services, type TripRequest } from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import { bookTrip } from '../src/starter.ts';
import { aTrip, createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
let worker: Worker;
let running: Promise<void>;
const taskQueue = 'no-cache';

beforeAll(async () => {
  [env, world] = await Promise.all([timeSkippingEnvironment(), createWorld()]);
  process.env.TASK_QUEUE = taskQueue;
  worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(createServices(world.urls)),
    // Nothing is kept in memory: each step begins with a replay of all that went before.
    maxCachedWorkflows: 0,
  });
  running = worker.run();
});

afterAll(async () => {
  worker.shutdown();
  await running;
  await world.close();
});

/** Waits for the outcome and for the end, and says with what both agree. */
async function outcomeOf(request: TripRequest) {
  const outcome = await bookTrip(env.client, request, 'ada');
  expect(await env.client.workflow.getHandle(`trip:${request.tripId}`).result()).toEqual(outcome);
  expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
  return outcome;
}

describe('ALL-2 with a replay at each step, a trip', () => {
  it('is booked', async () => {
    const request = aTrip(await env.currentTimeMs());
    expect(await outcomeOf(request)).toMatchObject({ status: 'booked' });
    expect(await world.books.activeBookings(request.tripId)).toEqual(services);
  });

  it('is undone', async () => {
    const request = aTrip(await env.currentTimeMs(), { to: 'VIE' });
    await world.cab.setCapacity('VIE', request.departure, 0);
    expect(await outcomeOf(request)).toMatchObject({ status: 'compensated', undone: ['hotel', 'flight'] });
    expect(await world.books.activeBookings(request.tripId)).toEqual([]);
  });
});
