import { untilTemporalAnswers } from '@repo/dev-stack';
import { inThisThread, timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import { WithStartWorkflowOperation, type WorkflowHandleWithStartDetails } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import {
  cancelSignal,
  cancelUpdate,
  failureTypes,
  outcomeUpdate,
  resolveUpdate,
  services,
  stateQuery,
  type TripOutcome,
  type TripRequest,
  tripWorkflowId,
} from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import { bookTrip } from '../src/starter.ts';
import type { trip } from '../src/workflows.ts';
import { aTrip, createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
let worker: Worker;
let running: Promise<void>;
let now: number;

const taskQueue = 'trip-saga-test';

async function startWorker() {
  worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(createServices(world.urls)),
    ...inThisThread(),
  });
  running = worker.run();
}

async function stopWorker() {
  worker.shutdown();
  await running;
}

beforeAll(async () => {
  [env, world] = await Promise.all([timeSkippingEnvironment(), createWorld()]);
  process.env.TASK_QUEUE = taskQueue;
  await startWorker();
  now = await env.currentTimeMs();
});

afterEach(async () => {
  for (const service of services) {
    world[service].wire = 'carries';
    world[service].onCall = () => {};
  }
  now = await env.currentTimeMs();
  expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
});

afterAll(async () => {
  await stopWorker();
  await world.close();
});

const start = (request: TripRequest): Promise<WorkflowHandleWithStartDetails<typeof trip>> =>
  env.client.workflow.start<typeof trip>('trip', {
    workflowId: tripWorkflowId(request.tripId),
    taskQueue,
    args: [request],
  });

const bookings = (request: TripRequest) => world.books.activeBookings(request.tripId);

/** Resolves when a call of this method arrives at the service. */
const arrival = (service: 'flight' | 'hotel' | 'cab', method: string) =>
  new Promise<void>((resolve) => {
    world[service].onCall = (arrived) => arrived === method && resolve();
  });

describe('TRIP-3 a trip', () => {
  it('is booked in all three services, and answers as soon as it is', async () => {
    const request = aTrip(now);
    const outcome = await bookTrip(env.client, request, 'ada');
    const confirmation = expect.stringMatching(/^(FLIGHT|HOTEL|CAB)-\w{10}$/);
    expect(outcome).toEqual({
      status: 'booked',
      tripId: request.tripId,
      bookings: { flight: { confirmation }, hotel: { confirmation }, cab: { confirmation } },
    });
    expect(await bookings(request)).toEqual(services);
  });

  it('lives until its departure and ends booked', async () => {
    const request = aTrip(now);
    const handle = await start(request);
    expect(await handle.result()).toMatchObject({ status: 'booked' });
    expect(await env.currentTimeMs()).toBeGreaterThanOrEqual(Date.parse(request.departure));
    expect(await bookings(request)).toEqual(services);
  });

  it('TRIP-6 can be asked for its state, and is found by it', async () => {
    const request = aTrip(now);
    await bookTrip(env.client, request, 'ada');
    const handle = env.client.workflow.getHandle(tripWorkflowId(request.tripId));
    expect(await handle.query(stateQuery)).toMatchObject({ request, status: 'booked', outcome: { status: 'booked' } });
    const { searchAttributes } = await handle.describe();
    expect(searchAttributes).toMatchObject({ Status: ['booked'], StartedBy: ['ada'] });
  });
});

describe('TRIP-4 a service that is down', () => {
  it('is asked again until it is back', async () => {
    const request = aTrip(now);
    await world.hotel.stop();
    const handle = await start(request);
    await env.sleep('3 minutes');
    expect(await handle.query(stateQuery)).toMatchObject({ status: 'booking', bookings: { flight: {} } });
    await world.hotel.start();
    expect(await handle.result()).toMatchObject({ status: 'booked' });
    expect(await bookings(request)).toEqual(services);
  });

  it('for more than ten minutes is given up, and what was booked is given back', async () => {
    const request = aTrip(now);
    await world.hotel.stop();
    const handle = await start(request);
    await env.sleep('11 minutes');
    // The compensation needs the hotel as well: nobody knows whether a booking had arrived there.
    expect(await handle.query(stateQuery)).toMatchObject({ status: 'compensating' });
    await world.hotel.start();
    expect(await handle.result()).toMatchObject({
      status: 'compensated',
      reason: { service: 'hotel', type: failureTypes.serviceUnavailable },
      undone: ['flight'],
    });
    expect(await bookings(request)).toEqual([]);
  });
});

describe('TRIP-5 a step that fails for good', () => {
  it('no hotel, so the flight is cancelled', async () => {
    const request = aTrip(now, { to: 'ROM' });
    await world.hotel.setCapacity('ROM', request.departure, 0);
    expect(await bookTrip(env.client, request, 'ada')).toEqual({
      status: 'compensated',
      tripId: request.tripId,
      reason: { service: 'hotel', type: failureTypes.soldOut, message: expect.stringContaining('0 left') },
      undone: ['flight'],
    });
    expect(await bookings(request)).toEqual([]);
  });

  it('no cab, so the hotel and then the flight are cancelled', async () => {
    const request = aTrip(now, { to: 'VIE' });
    await world.cab.setCapacity('VIE', request.departure, 0);
    expect(await bookTrip(env.client, request, 'ada')).toMatchObject({
      status: 'compensated',
      reason: { service: 'cab', type: failureTypes.soldOut },
      undone: ['hotel', 'flight'],
    });
    expect(await bookings(request)).toEqual([]);
  });

  it.each(services)('a booking whose reply was lost is undone too: %s', async (service) => {
    const request = aTrip(now);
    let held: string[] = [];
    // Nobody hears that it is booked, and whoever asks again is sent away.
    world[service].onCall = async (method) => {
      if (method !== 'PUT') return 'carries';
      held = await bookings(request);
      return held.includes(service) ? { answers: 400 } : 'loses the reply';
    };
    const booked = services.slice(0, services.indexOf(service) + 1);
    expect(await (await start(request)).result()).toMatchObject({
      status: 'compensated',
      reason: { service, type: failureTypes.invalidBooking },
      undone: booked.toReversed(),
    });
    expect(held).toEqual(booked);
    expect(await bookings(request)).toEqual([]);
  });

  it('a booking whose reply is lost each time is undone when the ten minutes are over', async () => {
    const request = aTrip(now);
    world.hotel.onCall = (method) => (method === 'PUT' ? 'loses the reply' : 'carries');
    const handle = await start(request);
    await env.sleep('5 minutes');
    expect(await bookings(request)).toEqual(['flight', 'hotel']);
    expect(await handle.result()).toMatchObject({
      status: 'compensated',
      reason: { service: 'hotel', type: failureTypes.serviceUnavailable },
      undone: ['hotel', 'flight'],
    });
    expect(await bookings(request)).toEqual([]);
  });

  it('a compensation that is refused for good ends in plain sight, and the others still run', async () => {
    const request = aTrip(now, { to: 'DUB' });
    await world.cab.setCapacity('DUB', request.departure, 0);
    const hotelIsAsked = arrival('hotel', 'PUT');
    const handle = await start(request);
    await hotelIsAsked;
    world.hotel.onCall = (method) => {
      if (method === 'DELETE') world.hotel.wire = { answers: 400 };
    };
    const { tripId } = request;
    const stuck = [{ service: 'hotel', type: failureTypes.invalidBooking, message: 'as told' }];
    expect(await bookTrip(env.client, request, 'ada')).toEqual({
      status: 'needs-attention',
      tripId,
      undone: ['flight'],
      stuck,
    });
    expect(await bookings(request)).toEqual(['hotel']);
    expect((await handle.describe()).searchAttributes).toMatchObject({ Status: ['needs-attention'] });

    // The cause is not mended yet: it stays as it is. Then it is, and the trip goes on from there.
    expect(await handle.executeUpdate(resolveUpdate)).toMatchObject({ status: 'needs-attention', stuck });
    Object.assign(world.hotel, { wire: 'carries', onCall: () => {} });
    const outcome = {
      status: 'compensated',
      tripId,
      reason: { service: 'cab', type: failureTypes.soldOut },
      undone: ['flight', 'hotel'],
    };
    expect(await handle.executeUpdate(resolveUpdate)).toMatchObject(outcome);
    expect(await handle.result()).toMatchObject(outcome);
    expect(await bookings(request)).toEqual([]);
  });

  it('a compensation that only takes long does not hold up the others, and alarms a person while it goes on', async () => {
    const request = aTrip(now, { to: 'AMS' });
    await world.cab.setCapacity('AMS', request.departure, 0);
    world.cab.onCall = () => world.hotel.stop();
    const handle = await start(request);
    await env.sleep('2 minutes');
    expect(await bookings(request)).toEqual(['hotel']);
    expect(await handle.query(stateQuery)).toMatchObject({ status: 'compensating' });
    await env.sleep('5 minutes');
    expect(await handle.query(stateQuery)).toMatchObject({
      status: 'needs-attention',
      outcome: { undone: ['flight'], stuck: [{ service: 'hotel', type: failureTypes.serviceUnavailable }] },
    });
    await world.hotel.start();
    expect(await handle.result()).toMatchObject({ status: 'compensated', undone: ['flight', 'hotel'] });
    expect(await bookings(request)).toEqual([]);
  });

  it('there is nothing to resolve while nothing is stuck', async () => {
    const request = aTrip(now);
    await bookTrip(env.client, request, 'ada');
    const handle = env.client.workflow.getHandle(tripWorkflowId(request.tripId));
    await expect(handle.executeUpdate(resolveUpdate)).rejects.toMatchObject({
      cause: { type: failureTypes.nothingToResolve },
    });
  });
});

describe('TRIP-8 a cancellation', () => {
  const booked = async (request: TripRequest) => {
    await bookTrip(env.client, request, 'ada');
    return env.client.workflow.getHandle<typeof trip>(tripWorkflowId(request.tripId));
  };
  const cancelled = { status: 'cancelled', undone: ['cab', 'hotel', 'flight'] };

  it('as a signal runs the same compensations', async () => {
    const request = aTrip(now);
    const handle = await booked(request);
    await handle.signal(cancelSignal, {});
    // Whoever waits for the result lets the clock run on to the departure; whoever asks for the state does not.
    await vi.waitFor(async () => expect(await handle.query(stateQuery)).toMatchObject({ status: 'cancelled' }), 20_000);
    expect(await handle.result()).toMatchObject(cancelled);
    expect(await bookings(request)).toEqual([]);
  });

  it('as an update answers with what has become of the trip; twice is once', async () => {
    const request = aTrip(now);
    const handle = await booked(request);
    const both = [
      handle.executeUpdate(cancelUpdate, { args: [{}] }),
      handle.executeUpdate(cancelUpdate, { args: [{}] }),
    ];
    expect(await Promise.all(both)).toMatchObject([cancelled, cancelled]);
    expect(await handle.result()).toMatchObject(cancelled);
  });

  it('of the workflow, by whoever runs Temporal, is the same', async () => {
    const request = aTrip(now);
    await bookTrip(env.client, request, 'ada');
    const handle = env.client.workflow.getHandle<typeof trip>(tripWorkflowId(request.tripId));
    await handle.cancel();
    expect(await handle.result()).toEqual({
      status: 'cancelled',
      tripId: request.tripId,
      undone: ['cab', 'hotel', 'flight'],
    });
    expect(await bookings(request)).toEqual([]);
  });

  it('shows what is left while it is carried out, and no outcome', async () => {
    const request = aTrip(now);
    const handle = await booked(request);
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const hotelIsAsked = new Promise<void>((resolve) => {
      world.hotel.onCall = () => {
        resolve();
        return held;
      };
    });
    await handle.signal(cancelSignal, {});
    await hotelIsAsked;
    const state = await handle.query(stateQuery);
    expect(state).toMatchObject({ status: 'compensating', bookings: { flight: {}, hotel: {} } });
    expect(state.bookings.cab).toBeUndefined();
    expect(state.outcome).toBeUndefined();
    goOn();
    expect(await handle.result()).toMatchObject(cancelled);
  });

  it('while a service is down waits for no answer of it, and undoes what may have arrived', async () => {
    const request = aTrip(now);
    await world.hotel.stop();
    const handle = await start(request);
    await env.sleep('1 minute');
    await handle.cancel();
    await world.hotel.start();
    expect(await handle.result()).toMatchObject({ status: 'cancelled', undone: ['flight'] });
    expect(await bookings(request)).toEqual([]);
  });

  it('while a step is under way does not race it', async () => {
    const request = aTrip(now);
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const arrived = new Promise<void>((resolve) => {
      world.hotel.onCall = (method) => {
        if (method !== 'PUT') return;
        resolve();
        return held;
      };
    });
    const handle = await start(request);
    await arrived;
    await handle.cancel();
    // The test server can lose an answer that arrives while the workflow is being told of its cancellation.
    const told = async () => JSON.stringify((await handle.fetchHistory()).events);
    await expect.poll(told).toMatch(/"activityTaskCancelRequestedEventAttributes":\{/);
    answer();
    expect(await handle.result()).toMatchObject({ status: 'cancelled' });
    expect(await bookings(request)).toEqual([]);
  });
});

describe('the same trip id again', () => {
  it('is the same trip: nothing is booked twice', async () => {
    const request = aTrip(now);
    const first = await bookTrip(env.client, request, 'ada');
    const calls = world.flight.calls.PUT;
    expect(await bookTrip(env.client, request, 'ada')).toEqual(first);
    expect(world.flight.calls.PUT).toBe(calls);
  });

  it('with other details is refused', async () => {
    const request = aTrip(now);
    await bookTrip(env.client, request, 'ada');
    await expect(bookTrip(env.client, { ...request, passengers: 3 }, 'ada')).rejects.toMatchObject({
      cause: { type: failureTypes.tripMismatch, message: expect.stringContaining('passengers') },
    });
    expect(await bookings(request)).toEqual(services);
  });
});

describe('a second run of a trip whose workflow was ended from outside', () => {
  const ended = async (request: TripRequest) => {
    await bookTrip(env.client, request, 'ada');
    await env.client.workflow.getHandle(tripWorkflowId(request.tripId)).terminate();
  };

  it('finds the bookings of the first', async () => {
    const request = aTrip(now);
    await ended(request);
    expect(await (await start(request)).result()).toMatchObject({ status: 'booked' });
    expect(await bookings(request)).toEqual(services);
  });

  it('with other details undoes nothing: those bookings are not its own', async () => {
    const request = aTrip(now);
    await ended(request);
    expect(await (await start({ ...request, passengers: 3 })).result()).toMatchObject({
      status: 'compensated',
      reason: { service: 'flight', type: failureTypes.bookingMismatch },
      undone: [],
    });
    expect(await bookings(request)).toEqual(services);
  });
});

describe('bad input that comes past the door', () => {
  const writes = () => world.flight.calls.PUT + world.hotel.calls.PUT + world.cab.calls.PUT;

  it.each([
    ['passengers', { passengers: 0 }],
    ['return', { return: '2020-01-01' }],
    ['departure', { departure: '2020-01-01' }],
    ['to', { to: 'BER' as const }],
  ])('fails the workflow and names %s; nothing is written', async (field, changes) => {
    const before = writes();
    const handle = await start(aTrip(now, changes));
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: failureTypes.invalidTrip, nonRetryable: true, message: expect.stringContaining(`${field}: `) },
    });
    expect(writes()).toBe(before);
  });

  it('refuses a workflow id that is not the trip’s own', async () => {
    const request = aTrip(now);
    const options = { workflowId: 'another', taskQueue, args: [request] as [TripRequest] };
    await expect(env.client.workflow.execute<typeof trip>('trip', options)).rejects.toMatchObject({
      cause: { type: failureTypes.invalidTrip, message: expect.stringContaining('tripId: ') },
    });
  });

  it('ignores a field that only a newer starter knows', async () => {
    const request = aTrip(now);
    const startWorkflowOperation = new WithStartWorkflowOperation<typeof trip>('trip', {
      workflowId: tripWorkflowId(request.tripId),
      taskQueue,
      args: [{ ...request, meal: 'vegan' } as TripRequest],
      workflowIdConflictPolicy: 'FAIL',
    });
    const outcome = await env.client.workflow.executeUpdateWithStart(outcomeUpdate, { startWorkflowOperation });
    expect(outcome).toMatchObject({ status: 'booked' });
  });
});

const [wanted, seats] = [200, 50];

it(`${wanted} trips at once for ${seats} seats: exactly ${seats} are sold`, async () => {
  const trips = Array.from({ length: wanted }, () => aTrip(now, { passengers: 1, from: 'MAD', to: 'CPH' }));
  const departure = trips[0]?.departure ?? '';
  await Promise.all([
    world.flight.setCapacity('MAD-CPH', departure, seats),
    world.cab.setCapacity('CPH', departure, 200),
  ]);
  // Not by update-with-start: the test server forgets the update of one that it takes long to get to.
  const handles = await Promise.all(trips.map(start));
  // On a slow machine a workflow task may take too long, and until its next attempt Temporal takes no updates.
  const outcomes = await Promise.all(
    handles.map((handle) => untilTemporalAnswers(() => handle.executeUpdate<TripOutcome, []>('outcome'))),
  );
  const active = await Promise.all(trips.map(({ tripId }) => world.books.activeBookings(tripId)));
  expect(active.map((one) => one.length)).toEqual(outcomes.map(({ status }) => (status === 'booked' ? 3 : 0)));
  expect(active.filter((one) => one.length === 3)).toHaveLength(seats);
}, 120_000);
