import { Faults, faultsAroundActivities, timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { services, type TripOutcome, type TripRequest, tripWorkflowId } from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import type { trip } from '../src/workflows.ts';
import { aTrip, createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
let worker: Worker;
let running: Promise<void>;
let faults: Faults;
const taskQueue = 'faults';
const activities = ['bookFlight', 'reserveHotel', 'scheduleCab', 'cancelFlight', 'cancelHotel', 'cancelCab'];

beforeAll(async () => {
  [env, world] = await Promise.all([timeSkippingEnvironment(), createWorld()]);
  worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(createServices(world.urls)),
    interceptors: { activity: [faultsAroundActivities((point, activity) => faults.reach(point, activity))] },
  });
  running = worker.run();
});
beforeEach(() => {
  faults = new Faults();
});
afterEach(async () => {
  for (const service of services) Object.assign(world[service], { wire: 'carries', onCall: () => {} });
  expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await world.close();
});

const outcomeOf = (request: TripRequest): Promise<TripOutcome> =>
  env.client.workflow.execute<typeof trip>('trip', {
    workflowId: tripWorkflowId(request.tripId),
    taskQueue,
    args: [request],
  });

/** A trip that is booked, and one that is undone for want of a cab, each with what the services hold afterwards. */
async function bothEndings() {
  const booked = aTrip(await env.currentTimeMs());
  expect(await outcomeOf(booked)).toMatchObject({ status: 'booked' });
  expect(await world.books.activeBookings(booked.tripId)).toEqual(services);

  const noCab = aTrip(await env.currentTimeMs(), { to: 'VIE' });
  await world.cab.setCapacity('VIE', noCab.departure, 0);
  expect(await outcomeOf(noCab)).toMatchObject({ status: 'compensated', undone: ['hotel', 'flight'] });
  expect(await world.books.activeBookings(noCab.tripId)).toEqual([]);
}

describe('a fault at each activity', () => {
  it.each(['before-transaction', 'before-return'] as const)('%s, two times each', async (point) => {
    faults.on(...activities.map((of) => ({ point, of, calls: 2 })));
    await bothEndings();
    const twiceEach = activities.flatMap((of) => [`${point} of ${of}`, `${point} of ${of}`]);
    expect(faults.met.toSorted()).toEqual(twiceEach.toSorted());
  });

  it.each([1, 2, 3])('by chance, seed %i', async (seed) => {
    faults = new Faults(seed);
    faults.on({ point: 'before-transaction', chance: 0.3 }, { point: 'before-return', chance: 0.3 });
    await bothEndings();
    expect(faults.met.length).toBeGreaterThan(2);
  });
});

it('a service that fails before its transaction is asked again', async () => {
  faults.on(...services.map((of) => ({ point: 'before-transaction' as const, of, calls: 2 })));
  for (const service of services) world[service].onCall = () => faults.reach('before-transaction', service);
  await bothEndings();
  expect(faults.met).toHaveLength(6);
});
