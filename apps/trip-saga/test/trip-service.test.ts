import type { Client } from '@temporalio/client';
import { afterEach, describe, expect, it } from 'vitest';
import { bookingKey, cancelSignal, services, type TripRequest } from '../src/contract.ts';
import { createTripApp, serveTrips } from '../src/extras/trip-service.ts';
import { bookOrFind } from '../src/extras/trips.ts';
import { realServer, until } from './real-server.ts';
import { aTrip } from './world.ts';

const queue = 'trip-service-test';
const server = await realServer(queue);
const { client } = server;

afterEach(async () => {
  server.mend();
  process.env.TASK_QUEUE = queue;
  expect(await server.world.books.stockThatDoesNotAddUp()).toEqual([]);
});

/** What the service answers; `body` is sent as it is if it is text. */
async function call(method: string, path: string, body?: unknown, answerWithinMs = 10_000) {
  const app = createTripApp({ client, startedBy: 'ada lovelace', answerWithinMs });
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await app.request(path, { method, ...(text === undefined ? {} : { body: text }) });
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert
  return { status: response.status, at: response.headers.get('location'), body: (await response.json()) as any };
}

const active = ({ tripId }: TripRequest) => server.world.books.activeBookings(tripId);
const aNewTrip = () => aTrip(Date.now());
const error = (type: string, more = {}) => ({
  error: expect.objectContaining({ type, message: expect.any(String), ...more }),
});

describe('TRIP-1 POST /trips', () => {
  it('books a trip once: 201, then 200, and 409 with other details', async () => {
    const request = aNewTrip();
    const outcome = expect.objectContaining({ status: 'booked', tripId: request.tripId });
    const at = `/trips/${request.tripId}`;
    expect(await call('POST', '/trips', request)).toEqual({ status: 201, at, body: outcome });
    expect(await call('POST', '/trips', request)).toMatchObject({ status: 200, at, body: outcome });
    expect(await call('POST', '/trips', { ...request, passengers: 3 })).toMatchObject({
      status: 409,
      body: error('TripMismatch', { message: expect.stringMatching(/^passengers: /) }),
    });
    expect(await active(request)).toEqual(services);
    expect(await call('GET', at)).toMatchObject({ status: 200, body: { request, status: 'booked' } });

    // Also once its workflow has ended.
    expect(await call('POST', `${at}/cancel`)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    await server.handleOf(request).result();
    expect(await call('POST', '/trips', request)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await call('POST', '/trips', { ...request, passengers: 3 })).toMatchObject({ status: 409 });
    expect(await call('GET', at)).toMatchObject({ status: 200, body: { request, status: 'cancelled', bookings: {} } });
    expect(await call('POST', `${at}/cancel`)).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await active(request)).toEqual([]);
  });

  it.each([
    ['no JSON', '{', 'input'],
    ['nothing', '', 'input'],
    ['a wrong type', { ...aNewTrip(), passengers: '2' }, 'passengers'],
    ['a huge number', JSON.stringify({ ...aNewTrip(), passengers: 7 }).replace(':7', ':1e400'), 'passengers'],
    ['an unknown field', { ...aNewTrip(), seats: 2 }, 'seats'],
    ['a day that is over', { ...aNewTrip(), departure: '2020-01-01' }, 'return'],
    ['a control character', { ...aNewTrip(), traveller: 'A\u0000da' }, 'traveller'],
  ])('refuses %s with the field and the reason', async (_, body, field) => {
    expect(await call('POST', '/trips', body)).toMatchObject({ status: 400, body: error('InvalidRequest', { field }) });
  });

  it('refuses a body of more than 64 KiB', async () => {
    const traveller = 'a'.repeat(65_536);
    expect(await call('POST', '/trips', { ...aNewTrip(), traveller })).toMatchObject({
      status: 413,
      body: error('TooLarge'),
    });
  });

  it('answers 202 while no worker is up; what is asked for meanwhile is recorded', async () => {
    const request = aNewTrip();
    const at = `/trips/${request.tripId}`;
    process.env.TASK_QUEUE = `${queue}-unserved`;
    expect(await call('POST', '/trips', request, 200)).toMatchObject({ status: 202, at, body: { status: 'booking' } });
    const requestedAt = new Date().toISOString();
    const [state, resolved, cancelled] = await Promise.all([
      call('GET', at),
      call('POST', `${at}/resolve`),
      call('POST', `${at}/cancel`, { requestedAt }),
    ]);
    const message = expect.stringContaining(`${queue}-unserved`);
    expect(state).toMatchObject({ status: 503, body: error('NoWorker', { message }) });
    expect(resolved).toMatchObject({ status: 503, body: error('NoWorker') });
    expect(cancelled).toMatchObject({ status: 202, at, body: { recorded: true } });

    // The signal: an update that nobody takes is forgotten.
    const { events } = await server.handleOf(request).fetchHistory();
    const recorded = events?.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => signal ?? []) ?? [];
    const data = recorded[0]?.input?.payloads?.[0]?.data ?? [];
    expect(recorded.map(({ signalName }) => signalName)).toEqual(['cancel']);
    expect(JSON.parse(Buffer.from(data).toString())).toEqual({ requestedAt });

    const worker = await server.createWorker(`${queue}-unserved`);
    await worker.runUntil(async () => {
      expect(await server.handleOf(request).result()).toMatchObject({ status: 'cancelled' });
    });
    expect(await active(request)).toEqual([]);
  });
});

describe('whoever waits for a trip that an operator', () => {
  async function inMidBooking() {
    const request = aNewTrip();
    server.spoil('hotel', 'PUT', 'loses the reply');
    const answer = call('POST', '/trips', request);
    await until(async () => (await active(request)).length === 2);
    return { request, answer, handle: server.handleOf(request) };
  }

  it('resets is answered with what becomes of it', async () => {
    const { request, answer, handle } = await inMidBooking();
    const { events } = await handle.fetchHistory();
    await server.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.workflowId },
      workflowTaskFinishEventId: events?.findLast((one) => one.workflowTaskCompletedEventAttributes)?.eventId ?? null,
      requestId: request.tripId,
    });
    server.mend();
    expect(await answer).toMatchObject({ status: 201, body: { status: 'booked' } });
    expect(await active(request)).toEqual(services);
  });

  it('terminates is told so, and of no refusal', async () => {
    const { answer, handle } = await inMidBooking();
    await handle.terminate();
    expect(await answer).toMatchObject({ status: 409, body: error('EndedFromOutside') });
  });

  it('terminates while it is cancelled is told so as well', async () => {
    const request = aNewTrip();
    await call('POST', '/trips', request);
    server.spoil('flight', 'DELETE', { answers: 503 });
    const answer = call('POST', `/trips/${request.tripId}/cancel`);
    await until(async () => (await active(request)).length === 1);
    await server.handleOf(request).terminate();
    expect(await answer).toMatchObject({ status: 409, body: error('EndedFromOutside') });
    expect(await active(request)).toEqual(['flight']);
  });
});

it.each(['traveller', 'operator'] as const)(
  'TRIP-8 a cancellation by the %s that meets a failing attempt is one all the same, and there is no other attempt',
  async (who) => {
    const request = aNewTrip();
    const handle = server.handleOf(request);
    const requested = async () =>
      (await handle.fetchHistory()).events?.some((one) => one.activityTaskCancelRequestedEventAttributes) ?? false;
    let attempts = 0;
    server.world.hotel.onCall = async (method, key) => {
      if (method !== 'PUT' || key !== bookingKey(request.tripId, 'hotel')) return;
      attempts += 1;
      await (who === 'traveller' ? handle.signal(cancelSignal, {}) : handle.cancel());
      await until(requested);
      return { answers: 503 };
    };
    await server.start(request);
    expect(await handle.result()).toMatchObject({ status: 'cancelled', undone: ['flight'] });
    expect(attempts).toBe(1);
    expect(await active(request)).toEqual([]);
  },
);

it('TRIP-8 a cancellation of what is not there, or with a time that is none, is refused', async () => {
  expect(await call('POST', '/trips/nobody/cancel')).toMatchObject({ status: 404, body: error('NoSuchTrip') });
  expect(await call('GET', `/trips/${'x'.repeat(2000)}`)).toMatchObject({ status: 404, body: error('NoSuchTrip') });
  expect(await call('POST', '/trips/nobody/cancel', { requestedAt: 'now' })).toMatchObject({
    status: 400,
    body: error('InvalidRequest', { field: 'requestedAt' }),
  });
});

it('ALL-9, ALL-12 what is stuck is listed, and is resolved once its cause is mended', async () => {
  const request = aNewTrip();
  server.spoil('hotel', 'PUT', { answers: 422 });
  server.spoil('flight', 'DELETE', { answers: 400 });
  const at = `/trips/${request.tripId}`;
  expect(await call('POST', '/trips', request)).toMatchObject({ status: 201, body: { status: 'needs-attention' } });
  const listed = async (query: string) =>
    (await call('GET', `/trips?${query}`)).body.trips.filter(
      (one: { tripId: string }) => one.tripId === request.tripId,
    );
  await until(async () => (await listed(`status=needs-attention&startedBy=ada%20lovelace`)).length === 1);
  expect(await listed(`status=needs-attention&startedBy=ada%20lovelace`)).toMatchObject([
    { execution: 'RUNNING', startedBy: 'ada lovelace' },
  ]);
  expect(await listed('status=booked')).toEqual([]);
  expect(await listed('startedBy=ada')).toEqual([]);
  expect(await call('GET', '/trips?limit=1')).toMatchObject({ status: 200, body: { trips: [expect.anything()] } });
  expect(await call('GET', '/trips?status=lost')).toMatchObject({
    status: 400,
    body: error('InvalidRequest', { field: 'status' }),
  });
  expect(await call('GET', '/trips?startedBy=%22%20OR%20%22')).toMatchObject({ status: 400 });

  server.mend();
  expect(await call('POST', `${at}/resolve`)).toMatchObject({ status: 200, body: { status: 'compensated' } });
  await server.handleOf(request).result();
  expect(await call('POST', `${at}/resolve`)).toMatchObject({ status: 409, body: error('NothingToResolve') });
  expect(await active(request)).toEqual([]);
});

it('a trip that was ended from outside says so, and one that was never accepted says why', async () => {
  const request = aNewTrip();
  await call('POST', '/trips', request);
  await server.handleOf(request).terminate('by hand');
  const message = `Trip ${request.tripId} was ended from outside while it was booked: by hand.`;
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/cancel'],
    ['POST', '/resolve'],
  ] as const) {
    expect(await call(method, `/trips/${request.tripId}${path}`)).toMatchObject({
      status: 409,
      body: error('EndedFromOutside', { message }),
    });
  }

  const wrong = { ...aNewTrip(), passengers: -1 };
  await server.start(wrong);
  await server
    .handleOf(wrong)
    .result()
    .catch(() => {});
  expect(await call('GET', `/trips/${wrong.tripId}`)).toMatchObject({
    status: 422,
    body: error('InvalidTrip', { message: expect.stringMatching(/^passengers: /) }),
  });
});

it('a trip that was asked for more often than Temporal takes updates is still found', async () => {
  const request = aNewTrip();
  await call('POST', '/trips', request);
  const worn = {
    options: client.options,
    workflowService: client.workflowService,
    withDeadline: client.withDeadline.bind(client),
    workflow: {
      getHandle: (id: string) => client.workflow.getHandle(id),
      executeUpdateWithStart: () =>
        Promise.reject(new Error('limit on the total number of distinct updates in this workflow has been reached')),
    },
  } as unknown as Client;
  expect(await bookOrFind(worn, request, 'ada')).toMatchObject({ status: 'booked' });
  const other = { ...request, passengers: 3 };
  await expect(bookOrFind(worn, other, 'ada')).rejects.toMatchObject({ cause: { type: 'TripMismatch' } });
  await server.handleOf(request).signal(cancelSignal, {});
  await server.handleOf(request).result();
});

it('listens on the loopback interface alone, and says so if the port is taken', async () => {
  const first = await serveTrips({ client, startedBy: 'ada' }, 0);
  const { port, hostname } = new URL(first.url);
  expect(hostname).toBe('127.0.0.1');
  expect((await fetch(`${first.url}/trips/nobody`)).status).toBe(404);
  await expect(serveTrips({ client, startedBy: 'ada' }, Number(port))).rejects.toMatchObject({
    nextStep: 'Choose another port with --port.',
  });
  await first.close();
});
