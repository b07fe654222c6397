import { turnOnSchedule } from '@repo/testing';
import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { bookingKey, type Service, services, stateQuery, type TripRequest, tripWorkflowId } from '../src/contract.ts';
import { reconcile } from '../src/extras/reconciler/reconcile.ts';
import { Stores } from '../src/extras/reconciler/stores.ts';
import { bookTrip } from '../src/starter.ts';
import { realServer, until } from './real-server.ts';
import { aTrip } from './world.ts';

const server = await realServer('reconciler-test');
const { client, world } = server;

afterEach(async () => {
  server.mend();
  expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
});

/** What the reconciler says of this trip: the database is shared with the tests of other files. */
async function reconciled(
  { tripId }: { tripId: string },
  { graceMs = 0, dryRun = false, now = Date.now(), by = client as Client } = {},
) {
  const { undone, attention } = await reconcile({ client: by, urls: world.urls, now, graceMs, dryRun });
  return {
    undone: undone.filter((one) => one.tripId === tripId).flatMap((one) => one.services),
    attention: attention.filter((one) => one.tripId === tripId).map(({ why }) => why),
  };
}

const nothing = { undone: [], attention: [] };
const handleOf = (request: TripRequest) => server.handleOf(request);
const active = ({ tripId }: TripRequest) => world.books.activeBookings(tripId);

/** A trip that is booked in two services; its workflow has had no answer from the second. */
async function inMidBooking(): Promise<TripRequest> {
  const request = aTrip(Date.now());
  server.spoil('hotel', 'PUT', 'loses the reply');
  await server.start(request);
  await until(async () => (await active(request)).length === 2);
  return request;
}

async function call(service: Service, method: string, tripId: string, body?: unknown) {
  const target = `${world[service].url}/bookings/${bookingKey(tripId, service)}`;
  return (await fetch(target, { method, ...(body ? { body: JSON.stringify(body) } : {}) })).status;
}

const cabRequest = ({ to, departure }: TripRequest) => ({ city: to, date: departure, passengers: 2 });
const hotelRequest = ({ to, departure, return: back }: TripRequest) => ({
  city: to,
  arrival: departure,
  departure: back,
  guests: 2,
});

type Events = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>;

/** Makes a new run of it, which goes on from the last decision among these events. */
const reset = ({ tripId }: TripRequest, events: Events) =>
  client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: tripWorkflowId(tripId) },
    workflowTaskFinishEventId: events.findLast((event) => event.workflowTaskCompletedEventAttributes)?.eventId ?? null,
    requestId: 'once',
    // The request to cancel stays behind.
    resetReapplyExcludeTypes: [4],
  });

/** A client for which workflows are as `describe` says. */
function describing(describe: (handle: WorkflowHandle) => Promise<WorkflowExecutionDescription>): Client {
  const getHandle = (workflowId: string) => ({ describe: () => describe(client.workflow.getHandle(workflowId)) });
  return { workflow: { getHandle } } as unknown as Client;
}

/** A client for which every run began two minutes later than it did. */
const inTwoMinutes = (changes = {}) =>
  describing(async (handle) => {
    const found = await handle.describe();
    return Object.assign(found, { startTime: new Date(found.startTime.getTime() + 120_000), ...changes });
  });

describe('a trip that was terminated in mid-booking', () => {
  it('is undone, newest first, and the second time nothing changes', async () => {
    const request = await inMidBooking();
    await handleOf(request).terminate();
    expect(await reconciled(request, { graceMs: 60_000 }), 'younger than the grace period').toEqual(nothing);
    const undone = ['hotel', 'flight'];
    expect(await reconciled(request, { dryRun: true })).toEqual({ undone, attention: [] });
    expect(await active(request)).toEqual(['flight', 'hotel']);

    server.mend();
    expect(await reconciled(request)).toEqual({ undone, attention: [] });
    expect(await active(request)).toEqual([]);
    expect(await reconciled(request)).toEqual(nothing);
  });

  it('cannot be booked any more by a call that comes late', async () => {
    const request = await inMidBooking();
    await handleOf(request).terminate();
    server.mend();
    await reconciled(request);
    expect(await call('hotel', 'PUT', request.tripId, hotelRequest(request))).toBe(410);
    expect(await call('cab', 'PUT', request.tripId, cabRequest(request))).toBe(410);
    expect(await active(request)).toEqual([]);
  });

  it('is undone also when its dates are over', async () => {
    const request = await inMidBooking();
    await handleOf(request).terminate();
    server.mend();
    const now = Date.parse(request.return) + 2 * 86_400_000;
    expect(await reconciled(request, { now })).toEqual({ undone: ['hotel', 'flight'], attention: [] });
    expect(await active(request)).toEqual([]);
  });

  it('is undone also if a reset made its last run, long after the bookings', async () => {
    const request = await inMidBooking();
    const handle = handleOf(request);
    await reset(request, (await handle.fetchHistory()).events ?? []);
    await until(async () => (await handle.query(stateQuery)).status === 'booking');
    await handle.terminate();
    server.mend();
    expect(await reconciled(request, { by: inTwoMinutes() })).toEqual({ undone: ['hotel', 'flight'], attention: [] });
    expect(await active(request)).toEqual([]);
  });

  it('is undone as far as possible while a service refuses, and to the end afterwards', async () => {
    const request = await inMidBooking();
    await handleOf(request).terminate();
    server.spoil('hotel', 'DELETE', { answers: 500 });
    expect(await reconciled(request)).toEqual({
      undone: ['flight'],
      attention: [expect.stringMatching(/^the hotel is not undone: /)],
    });
    server.mend();
    expect(await reconciled(request)).toEqual({ undone: ['hotel'], attention: [] });
    expect(await active(request)).toEqual([]);
  });
});

it('a trip that has timed out in mid-booking is undone', async () => {
  const request = aTrip(Date.now());
  // The step is given what time is left, and fails with the workflow: nor must its undoing be in time.
  world.hotel.onCall = (method) => {
    world.hotel.wire = method === 'PUT' ? 'loses the reply' : { answers: 503 };
  };
  const handle = await client.workflow.start('trip', {
    workflowId: tripWorkflowId(request.tripId),
    taskQueue: 'reconciler-test',
    args: [request],
    workflowExecutionTimeout: '3 seconds',
  });
  await until(async () => (await active(request)).includes('hotel'));
  await until(async () => (await handle.describe()).status.name === 'TIMED_OUT');
  server.mend();
  expect(await reconciled(request)).toEqual({ undone: ['hotel', 'flight'], attention: [] });
  expect(await active(request)).toEqual([]);
});

it('looks at every page of what a service holds, and at nothing that is not of a trip', async () => {
  const row = (key: string) => ({ key, status: 'booked', createdAt: new Date(), items: [{ date: '2030-01-01' }] });
  const keys = Array.from({ length: 1_001 }, (_, index) => `trip:page-${String(index).padStart(4, '0')}:flight`);
  keys.push('trip:of/another:flight', 'trip:one:hotel');
  const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(async (url) => {
    const { host, searchParams } = new URL(url as URL);
    const after = searchParams.get('after') ?? '';
    const rows =
      host === 'flight'
        ? keys
            .filter((key) => key > after)
            .sort()
            .slice(0, 500)
        : [];
    return Response.json({ bookings: rows.map(row) });
  });
  const stores = new Stores({ FLIGHT_URL: 'http://flight', HOTEL_URL: 'http://hotel', CAB_URL: 'http://cab/' });
  const found = await stores.bookingsByTrip().finally(() => fetched.mockRestore());
  expect(found.size).toBe(1_001);
  expect(found.get('page-1000')).toMatchObject([{ service: 'flight', active: true, lastDay: '2030-01-01' }]);
});

it('a healthy trip is never touched, whatever state it is in', async () => {
  const booked = aTrip(Date.now());
  await bookTrip(client, booked, 'ada');
  const underWay = await inMidBooking();
  for (let turn = 0; turn < 5; turn++) {
    expect(await reconciled(booked)).toEqual(nothing);
    expect(await reconciled(underWay)).toEqual(nothing);
  }
  expect(await active(underWay)).toEqual(['flight', 'hotel']);
  server.mend();
  await until(async () => (await handleOf(underWay).query(stateQuery)).status === 'booked');
  expect(await reconciled(underWay)).toEqual(nothing);
  expect(await active(underWay)).toEqual(services);
  expect(await active(booked)).toEqual(services);

  await handleOf(booked).cancel();
  await handleOf(booked).result();
  expect(await reconciled(booked)).toEqual(nothing);
});

describe('a trip that changes while it is looked at is left alone', () => {
  /** A client that, when it is first asked, waits until the trip is booked; `then` happens behind its answer. */
  function bookedMeanwhile(request: TripRequest, then = async () => {}): Client {
    let asked = false;
    return describing(async (handle) => {
      if (asked || handle.workflowId !== tripWorkflowId(request.tripId)) return handle.describe();
      asked = true;
      server.mend();
      await until(async () => (await handle.query(stateQuery)).status === 'booked');
      const found = await handle.describe();
      await then();
      return found;
    });
  }

  it('booked to the end after the services were listed', async () => {
    const request = await inMidBooking();
    expect(await reconciled(request, { by: bookedMeanwhile(request) })).toEqual(nothing);
    expect(await active(request)).toEqual(services);
  });

  it('cancelled after Temporal was asked', async () => {
    const request = await inMidBooking();
    const by = bookedMeanwhile(request, async () => {
      await handleOf(request).cancel();
      await handleOf(request).result();
    });
    expect(await reconciled(request, { by })).toEqual(nothing);
    expect(await active(request)).toEqual([]);
  });
});

describe('what Temporal cannot decide goes to a person', () => {
  it('a trip that Temporal does not know (any more)', async () => {
    const request = aTrip(Date.now());
    expect(await call('hotel', 'PUT', request.tripId, hotelRequest(request))).toBe(201);
    const attention = [expect.stringMatching(/^Temporal has no workflow trip:\S+ \(any more\): booked in 1 of 3/)];
    expect(await reconciled(request)).toEqual({ undone: [], attention });
    expect(await active(request)).toEqual(['hotel']);
  });

  it('a booked trip whose workflow was terminated: it stays booked', async () => {
    const request = aTrip(Date.now());
    await bookTrip(client, request, 'ada');
    await handleOf(request).terminate();
    const attention = [expect.stringMatching(/^unwatched: /)];
    expect(await reconciled(request)).toEqual({ undone: [], attention });
    expect(await active(request)).toEqual(services);
    expect(await reconciled(request)).toEqual({ undone: [], attention });

    expect(await call('hotel', 'DELETE', request.tripId)).toBe(200);
    expect(await reconciled(request)).toEqual({
      undone: ['cab', 'flight'],
      attention: ['its workflow is terminated as booked, the services said: flight, cab; that was undone'],
    });
    expect(await reconciled(request)).toEqual(nothing);
  });

  it('a booking of a trip whose workflow has come to its end without it', async () => {
    const request = await inMidBooking();
    await handleOf(request).cancel();
    await handleOf(request).result();
    expect(await call('cab', 'PUT', request.tripId, cabRequest(request))).toBe(201);
    const attention = ['its workflow is completed as cancelled, the services say: cab'];
    expect(await reconciled(request)).toEqual({ undone: [], attention });
    expect(await active(request)).toEqual(['cab']);
  });

  it('a trip that has departed, of which something was cancelled: the rest stays booked', async () => {
    const request = aTrip(Date.now());
    await bookTrip(client, request, 'ada');
    await handleOf(request).terminate();
    expect(await call('hotel', 'DELETE', request.tripId)).toBe(200);
    // No test waits for a departure.
    const status = { code: 2, name: 'COMPLETED' } as const;
    const by = describing(async (handle) => Object.assign(await handle.describe(), { status }));
    const attention = ['its workflow is completed as booked, the services say: flight, cab'];
    expect(await reconciled(request, { by })).toEqual({ undone: [], attention });
    expect(await active(request)).toEqual(['flight', 'cab']);
  });

  it('a trip that was cancelled, and then reset to when it was booked', async () => {
    const request = aTrip(Date.now());
    await bookTrip(client, request, 'ada');
    const handle = handleOf(request);
    await handle.cancel();
    await handle.result();
    const { events } = await handle.fetchHistory();
    const asked = events?.findIndex((event) => event.workflowExecutionCancelRequestedEventAttributes);
    await reset(request, events?.slice(0, asked) ?? []);
    await until(async () => (await handle.query(stateQuery)).status === 'booked');
    expect(await reconciled(request)).toEqual({
      undone: [],
      attention: ['its workflow says booked, the services say: nothing (as after a reset)'],
    });
  });

  it('bookings that are older than the workflow that was terminated', async () => {
    const request = aTrip(Date.now());
    await call('hotel', 'PUT', request.tripId, hotelRequest(request));
    // As if an earlier trip of this id had made it: the workflow of that one is forgotten.
    server.spoil('flight', 'PUT', { answers: 503 });
    const handle = await server.start(request);
    await until(async () => (await handle.query(stateQuery)).status === 'booking');
    await handle.terminate();
    // Without the original start time: that run is the first of its workflow.
    expect(await reconciled(request, { by: inTwoMinutes({ raw: {} }) })).toEqual({
      undone: [],
      attention: [expect.stringMatching(/started after its bookings/)],
    });
    expect(await active(request)).toEqual(['hotel']);
  });
});

it('the schedule does the same, with a worker of its own', { timeout: 120_000 }, async () => {
  const request = await inMidBooking();
  await handleOf(request).terminate();
  server.mend();
  const cli = new URL('../src/extras/cli.ts', import.meta.url);
  expect(await turnOnSchedule({ client, cli, taskQueue: 'reconciler-test', env: world.urls })).toMatchObject({
    looked: expect.any(Number),
    putRight: { first: expect.arrayContaining([`${request.tripId}: undone in hotel, flight`]) },
  });
  expect(await active(request)).toEqual([]);
});
