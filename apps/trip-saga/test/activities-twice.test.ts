import { describeEveryActivity, timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Activities, createActivities } from '../src/activities.ts';
import { services, type TripOutcome, type TripRequest, tripWorkflowId } from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import type { trip } from '../src/workflows.ts';
import { aTrip, createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
const taskQueue = 'activities-twice';

beforeAll(async () => {
  [env, world] = await Promise.all([timeSkippingEnvironment(), createWorld()]);
});
afterAll(() => world.close());

async function outcomeOf(request: TripRequest): Promise<TripOutcome> {
  const outcome = await env.client.workflow.execute<typeof trip>('trip', {
    workflowId: tripWorkflowId(request.tripId),
    taskQueue,
    args: [request],
  });
  expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
  return outcome;
}

describeEveryActivity<Activities>({
  activities: {
    bookFlight: { undoneBy: 'cancelFlight' },
    reserveHotel: { undoneBy: 'cancelHotel' },
    scheduleCab: { undoneBy: 'cancelCab' },
    cancelFlight: {},
    cancelHotel: {},
    cancelCab: {},
  },
  createWorker: (activity) =>
    Worker.create({
      connection: env.nativeConnection,
      taskQueue,
      workflowBundle: workflowBundle(),
      activities: createActivities(createServices(world.urls)),
      interceptors: { activity },
    }),
  run: async () => {
    const now = await env.currentTimeMs();
    const booked = aTrip(now);
    expect(await outcomeOf(booked)).toMatchObject({ status: 'booked' });
    expect(await world.books.activeBookings(booked.tripId)).toEqual(services);

    const noCab = aTrip(await env.currentTimeMs(), { to: 'VIE' });
    await world.cab.setCapacity('VIE', noCab.departure, 0);
    expect(await outcomeOf(noCab)).toMatchObject({ status: 'compensated', undone: ['hotel', 'flight'] });
    expect(await world.books.activeBookings(noCab.tripId)).toEqual([]);
  },
  runUndone: async () => {
    const request = aTrip(await env.currentTimeMs());
    expect(await outcomeOf(request)).toMatchObject({ status: 'compensated' });
    expect(await world.books.activeBookings(request.tripId)).toEqual([]);
  },
});
