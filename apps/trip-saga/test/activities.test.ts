import {
  describeEveryActivity,
  Faults,
  faultsAroundActivities,
  inThisThread,
  timeSkippingEnvironment,
  workflowBundle,
} from '@repo/testing';
import { MockActivityEnvironment, type TestWorkflowEnvironment } from '@temporalio/testing';
import { type ActivityInterceptorsFactory, DefaultLogger, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Activities, createActivities } from '../src/activities.ts';
import {
  bookingKey,
  failureTypes,
  type Service,
  services,
  type TripOutcome,
  type TripRequest,
  tripWorkflowId,
} from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import type { trip } from '../src/workflows.ts';
import { aTrip, createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
const taskQueue = 'activities';
const activities = {
  bookFlight: { undoneBy: 'cancelFlight' },
  reserveHotel: { undoneBy: 'cancelHotel' },
  scheduleCab: { undoneBy: 'cancelCab' },
  cancelFlight: {},
  cancelHotel: {},
  cancelCab: {},
} as const;

beforeAll(async () => {
  [env, world] = await Promise.all([timeSkippingEnvironment(), createWorld()]);
});
afterEach(async () => {
  for (const service of services) Object.assign(world[service], { wire: 'carries', onCall: () => {} });
  expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
});
afterAll(() => world.close());

const createWorker = (activity: ActivityInterceptorsFactory[]) =>
  Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(createServices(world.urls)),
    interceptors: { activity },
    ...inThisThread(),
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

describeEveryActivity<Activities>({
  activities,
  createWorker,
  run: bothEndings,
  runUndone: async () => {
    const request = aTrip(await env.currentTimeMs());
    expect(await outcomeOf(request)).toMatchObject({ status: 'compensated' });
    expect(await world.books.activeBookings(request.tripId)).toEqual([]);
  },
});

describe('a fault at each activity', () => {
  const names = Object.keys(activities);
  // One worker for all of them, each with faults of its own.
  let faults: Faults;
  let worker: Worker | undefined;
  let running: Promise<void> | undefined;
  beforeAll(async () => {
    worker = await createWorker([(context) => faultsAroundActivities(faults.reach)(context)]);
    running = worker.run();
  });
  afterAll(async () => {
    if (worker?.getState() === 'RUNNING') worker.shutdown();
    await running;
  });
  // A worker that fails does so at once, and not when the run has waited for long enough.
  const withFaults = () => Promise.race([bothEndings(), running]);

  it.each(['before-transaction', 'before-return'] as const)('%s, two times each', async (point) => {
    faults = new Faults();
    faults.on(...names.map((of) => ({ point, of, calls: 2 })));
    await withFaults();
    const twiceEach = names.flatMap((of) => [`${point} of ${of}`, `${point} of ${of}`]);
    expect(faults.met.toSorted()).toEqual(twiceEach.toSorted());
  });

  it.each([1, 2, 3])('by chance, seed %i', async (seed) => {
    faults = new Faults(seed);
    faults.on({ point: 'before-transaction', chance: 0.3 }, { point: 'before-return', chance: 0.3 });
    await withFaults();
    expect(faults.met.length).toBeGreaterThan(2);
  });

  it('of which only the service knows: it is asked again', async () => {
    faults = new Faults();
    faults.on(...services.map((of) => ({ point: 'before-transaction' as const, of, calls: 2 })));
    for (const service of services) world[service].onCall = () => faults.reach('before-transaction', service);
    await withFaults();
    expect(faults.met).toHaveLength(6);
  });
});

it('gives up on a service that takes a call and never answers, before the time of the activity is over', async () => {
  const { tripId } = aTrip(await env.currentTimeMs());
  const arrived: string[] = [];
  for (const service of services) {
    world[service].onCall = (method) => {
      arrived.push(`${method} ${service}`);
      return new Promise(() => {});
    };
  }
  const { bookFlight, cancelFlight, reserveHotel, cancelHotel, scheduleCab, cancelCab } = createActivities(
    createServices(world.urls),
  );
  const ofService = {
    flight: [bookFlight, cancelFlight],
    hotel: [reserveHotel, cancelHotel],
    cab: [scheduleCab, cancelCab],
  };
  const startToCloseTimeoutMs = 3_000;
  const failureOf = (activity: unknown, service: Service) =>
    new MockActivityEnvironment({ startToCloseTimeoutMs }, { logger: new DefaultLogger('ERROR') })
      .run(activity as Activities['cancelCab'], { key: bookingKey(tripId, service) })
      .catch((failure: unknown) => failure);
  const start = performance.now();
  const failures = await Promise.all(
    services.flatMap((service) => ofService[service].map((activity) => failureOf(activity, service))),
  );
  expect(performance.now() - start).toBeLessThan(startToCloseTimeoutMs);
  expect(failures).toMatchObject(
    services.flatMap((service) =>
      Array(2).fill({
        type: failureTypes.serviceUnavailable,
        nonRetryable: false,
        message: `${service} service does not answer`,
      }),
    ),
  );
  expect(arrived.toSorted()).toEqual(services.flatMap((service) => [`DELETE ${service}`, `PUT ${service}`]).toSorted());
  expect(await world.books.activeBookings(tripId)).toEqual([]);
}, 10_000);
