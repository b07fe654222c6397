import { joinStack, type Stack } from '@repo/dev-stack';
import { workflowBundle } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { bookingKey, cancelSignal, type Service, services, tripWorkflowId } from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import { bookTrip } from '../src/starter.ts';
import type { trip } from '../src/workflows.ts';
import { aTrip, createWorld, type World } from './world.ts';

// On a real server: what the time-skipping one makes of many cancellations in mid-activity is not what Temporal does.
let stack: Stack;
let world: World;
let client: Client;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;
const seed = Number(process.env.SEED ?? 1);
const taskQueue = 'trip-saga-properties';

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  [stack, world] = await Promise.all([
    joinStack({ need: ['temporal'], ephemeral: true, ignoreEnvironment: true }),
    createWorld(),
  ]);
  const address = stack.temporal?.address;
  process.env.TASK_QUEUE = taskQueue;
  client = new Client({ connection: await Connection.connect({ address }) });
  native = await NativeConnection.connect({ address });
  worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(createServices(world.urls)),
  });
  running = worker.run();
});

beforeEach(() => {
  for (const service of services) world[service].onCall = () => {};
});

afterAll(async () => {
  worker.shutdown();
  await running;
  await Promise.all([native.close(), client.connection.close(), world.close()]);
  await stack.leave();
});

it('200 trips at once for 50 seats: exactly 50 are sold', async () => {
  const trips = Array.from({ length: 200 }, () => aTrip(Date.now(), { passengers: 1, from: 'MAD', to: 'CPH' }));
  const [first] = trips;
  await world.flight.setCapacity('MAD-CPH', first?.departure ?? '', 50);
  for (const night of [0, 1, 2, 3]) {
    const date = new Date(Date.parse(first?.departure ?? '') + night * 86_400_000).toISOString().slice(0, 10);
    await Promise.all([world.hotel.setCapacity('CPH', date, 200), world.cab.setCapacity('CPH', date, 200)]);
  }
  const outcomes = await Promise.all(trips.map((request) => bookTrip(client, request, 'ada')));
  const booked = outcomes.filter(({ status }) => status === 'booked').map(({ tripId }) => tripId);
  const active = await Promise.all(trips.map(({ tripId }) => world.books.activeBookings(tripId)));
  expect(active.filter((one) => one.length === 3)).toHaveLength(50);
  expect(active.filter((one) => one.length === 0)).toHaveLength(150);
  expect(trips.filter((_, index) => active[index]?.length === 3).map(({ tripId }) => tripId)).toEqual(booked);
  expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
}, 120_000);

/** What happens to the calls of one trip to one service, in the order in which they arrive; then all goes well. */
const calls = fc.array(fc.constantFrom('carries', 'loses the reply', 503, 422), { maxLength: 3 });
const plan = fc.record({
  flight: calls,
  hotel: calls,
  cab: calls,
  /** The traveller cancels when so many calls have arrived: 0 with the start, 9 after everything. */
  cancelAt: fc.option(fc.nat({ max: 9 }), { nil: undefined }),
});

it('any interleaving of refusals, outages, lost replies and a cancellation leaves 0 or 3 bookings', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { minLength: 16, maxLength: 16 }), async (plans) => {
      const trips = plans.map((faults) => ({ faults, request: aTrip(Date.now(), { to: 'DUB' }), arrived: 0 }));
      const handleOf = (tripId: string) => client.workflow.getHandle<typeof trip>(tripWorkflowId(tripId));
      const answer = (service: Service) => async (method: string, key: string) => {
        const found = trips.find(({ request }) => bookingKey(request.tripId, service) === key);
        if (!found) return undefined;
        found.arrived += 1;
        if (found.arrived === found.faults.cancelAt) await handleOf(found.request.tripId).signal(cancelSignal, {});
        const fault = found.faults[service].shift();
        // A refusal for good is for bookings: a service that refuses a cancellation needs a person.
        if (fault === 422 && method === 'DELETE') return { answers: 503 };
        return typeof fault === 'number' ? { answers: fault } : fault;
      };
      for (const service of services) world[service].onCall = answer(service);

      const outcomes = await Promise.all(
        trips.map(async ({ request, faults }) => {
          const options = {
            workflowId: tripWorkflowId(request.tripId),
            taskQueue,
            args: [request] as [typeof request],
          };
          const handle = await client.workflow.start<typeof trip>('trip', options);
          if (faults.cancelAt === 0) await handle.signal(cancelSignal, {});
          const outcome = await bookTrip(client, request, 'ada').catch(() => handle.result());
          if (faults.cancelAt === undefined || outcome.status !== 'booked') return outcome;
          await handle.signal(cancelSignal, {});
          return handle.result();
        }),
      );
      for (const [index, { request, faults }] of trips.entries()) {
        const active = await world.books.activeBookings(request.tripId);
        const { status } = outcomes[index] ?? {};
        const said = `${JSON.stringify(faults)} ${status}`;
        expect([active.length, said]).toEqual([status === 'booked' ? 3 : 0, said]);
        expect(['booked', 'compensated', 'cancelled']).toContain(status);
      }
      expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
    }),
    { numRuns: process.env.TORTURE === 'all' ? 10 : 1, seed, endOnFailure: true },
  );
}, 300_000);
