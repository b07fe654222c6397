import { untilTemporalAnswers } from '@repo/dev-stack';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import {
  bookingKey,
  cancelSignal,
  cancelUpdate,
  resolveUpdate,
  type Service,
  services,
  statusAttribute,
  type TripOutcome,
  type TripRequest,
} from '../src/contract.ts';
import { type Reconciliation, reconcile } from '../src/extras/reconciler/reconcile.ts';
import { bookTrip } from '../src/starter.ts';
import { realServer, until } from './real-server.ts';
import { aTrip } from './world.ts';

// On a real server: what the time-skipping one makes of many cancellations in mid-activity is not what Temporal does.
const server = await realServer('trip-saga-properties');
const seed = Number(process.env.SEED ?? 1);

afterEach(() => server.mend());

/** What happens to the calls of one trip to one service, in the order in which they arrive; then all goes well. */
const faults = ['carries', 'loses the reply', 'arrives late', 503, 422] as const;
const calls = fc.array(fc.constantFrom(...faults), { maxLength: 3 });
/** When so many calls have arrived: 0 with the start, 9 after everything. */
const at = fc.option(fc.nat({ max: 9 }), { nil: undefined });
const plan = fc.record({
  flight: calls,
  hotel: calls,
  cab: calls,
  /** The traveller cancels. */
  cancelAt: at,
  /** Somebody terminates the workflow: only the reconciler is left to put it right. */
  terminateAt: fc.oneof(fc.constant(undefined), at),
  /** Calls that the wire keeps back arrive after the reconciler has run, and not before. */
  verySlowWire: fc.boolean(),
});

interface Played {
  plan: typeof plan extends fc.Arbitrary<infer Plan> ? Plan : never;
  request: TripRequest;
  arrived: number;
}

/** What the wire of a service does to the calls of these trips. */
const wire = (trips: Played[], service: Service) => async (method: string, key: string) => {
  const trip = trips.find(({ request }) => bookingKey(request.tripId, service) === key);
  // The reconciler looks at bookings; nothing is done to that.
  if (!trip || method === 'GET') return undefined;
  const { request, plan } = trip;
  trip.arrived += 1;
  const handle = server.handleOf(request);
  // One that has ended cannot be cancelled or ended any more: calls of the reconciler arrive here, too.
  if (trip.arrived === plan.cancelAt) await handle.signal(cancelSignal, {}).catch(() => {});
  if (trip.arrived === plan.terminateAt) await handle.terminate().catch(() => {});
  const fault = plan[service].shift();
  return typeof fault === 'number' ? { answers: fault } : fault;
};

/** Brings a trip to where it rests: at its end, booked until the departure, or in need of a person. */
async function play({ request, plan }: Played): Promise<void> {
  const handle = await server.start(request);
  if (plan.cancelAt === 0) await handle.signal(cancelSignal, {});
  if (plan.terminateAt === 0) await handle.terminate();
  // A workflow that has ended meanwhile does not answer; what has become of it is looked up below.
  await handle.executeUpdate<TripOutcome, []>('outcome').catch(() => {});
  if (plan.cancelAt !== undefined) await handle.executeUpdate(cancelUpdate, { args: [{}] }).catch(() => {});
  if (plan.terminateAt !== undefined) await handle.terminate().catch(() => {});
}

async function arriveLate(trips: Played[]): Promise<void> {
  for (const service of services) {
    const { late } = server.world[service];
    const keys = trips.map(({ request }) => bookingKey(request.tripId, service));
    for (const { key, arrive } of late.slice()) if (keys.includes(key)) await arrive();
  }
}

/** How a trip rests, and with how many bookings: `listed` if the reconciler puts it before a person. */
async function restOf({ request }: Played, { attention }: Reconciliation) {
  const { status: execution, typedSearchAttributes } = await server.handleOf(request).describe();
  const status = typedSearchAttributes.get(statusAttribute);
  const active = (await server.world.books.activeBookings(request.tripId)).length;
  return { execution: execution.name, status, active, listed: attention.some((one) => one.tripId === request.tripId) };
}

type Rest = Awaited<ReturnType<typeof restOf>>;

/** Undefined if the trip rests as it may. */
function complaint({ execution, status, active, listed }: Rest): string | undefined {
  if (execution === 'TERMINATED') {
    // Nobody watches over it: either it is gone, or a person is told that it is there.
    if (active === 0 || (active === 3 && listed)) return undefined;
    return 'was terminated, and was not put right';
  }
  // What `trip list --needs-attention` goes by.
  if (execution === 'RUNNING' && status === 'needs-attention') return undefined;
  if (listed) return 'is listed, and needs no person';
  if (execution === 'RUNNING' && status === 'booked') {
    return active === 3 ? undefined : 'is booked, but not everywhere';
  }
  const undone = execution === 'COMPLETED' && (status === 'compensated' || status === 'cancelled');
  return undone && active === 0 ? undefined : 'has not ended undone';
}

it('any interleaving of faults, late calls, a cancellation and a termination leaves 0 or 3 bookings', async () => {
  const { client, world } = server;
  const reconcileNow = () => reconcile({ client, urls: world.urls, now: Date.now(), graceMs: 0 });
  const plans = fc.array(plan, { minLength: 16, maxLength: 16 });
  await fc.assert(
    fc.asyncProperty(plans, async (plans) => {
      const trips = plans.map(
        (plan): Played => ({ plan: structuredClone(plan), request: aTrip(Date.now(), { to: 'DUB' }), arrived: 0 }),
      );
      for (const service of services) world[service].onCall = wire(trips, service);
      await Promise.all(trips.map(play));
      await until(async () => services.every((service) => world[service].underWay === 0));
      // A call that was under way when its workflow was ended is done now.
      await arriveLate(trips.filter(({ plan }) => !plan.verySlowWire));
      await reconcileNow();
      server.mend();
      await arriveLate(trips);
      const last = await reconcileNow();

      for (const [index, trip] of trips.entries()) {
        const rest = await restOf(trip, last);
        expect({ ...plans[index], rest, complaint: complaint(rest) }).toMatchObject({ complaint: undefined });
        if (rest.status !== 'needs-attention' || rest.execution !== 'RUNNING') continue;
        await server.handleOf(trip.request).executeUpdate(resolveUpdate);
        await server.handleOf(trip.request).result();
        expect(await world.books.activeBookings(trip.request.tripId)).toEqual([]);
      }
      expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
      const again = await reconcileNow();
      expect(again.undone).toEqual([]);
    }),
    { numRuns: process.env.TORTURE === 'all' ? 10 : 1, seed, endOnFailure: true },
  );
}, 300_000);

// 200 of them for 50 seats are in workflows.test.ts; here they go the way that users go.
const [wanted, seats] = [20, 5];

it(`${wanted} trips booked at once by update-with-start for ${seats} seats: exactly ${seats} are sold`, async () => {
  const { client, world } = server;
  const trips = Array.from({ length: wanted }, () => aTrip(Date.now(), { passengers: 1, from: 'MAD', to: 'CPH' }));
  await world.flight.setCapacity('MAD-CPH', trips[0]?.departure ?? '', seats);
  const outcomes = await Promise.all(
    trips.map((request) => untilTemporalAnswers(() => bookTrip(client, request, 'ada'))),
  );
  const active = await Promise.all(trips.map(({ tripId }) => world.books.activeBookings(tripId)));
  expect(active.map((one) => one.length)).toEqual(outcomes.map(({ status }) => (status === 'booked' ? 3 : 0)));
  expect(active.filter((one) => one.length === 3)).toHaveLength(seats);
  expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
});
