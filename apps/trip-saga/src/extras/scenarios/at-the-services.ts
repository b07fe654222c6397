import { randomInt } from 'node:crypto';
import { OperatorError, type Session } from '@repo/dev-stack';
import { bookingKey, cities, type Service, startOfDay, type TripRequest } from '../../contract.ts';
import type { Demo } from '../demo.ts';

const passengers = 2;

/**
 * A trip for which there is room everywhere, on a day that is drawn from a year.
 * @throws OperatorError if there is none on any of many days
 */
export async function freshTrip(session: Session, demo: Demo): Promise<TripRequest> {
  for (let draw = 0; draw < 200; draw++) {
    const from = cities[randomInt(cities.length)] ?? 'BER';
    const to = cities[randomInt(cities.length)] ?? 'LIS';
    if (from === to) continue;
    const departure = dayAfter(Date.now(), 30 + randomInt(365));
    const back = dayAfter(startOfDay(departure), 4);
    const wanted: [Service, string, string][] = [
      ['flight', `${from}-${to}`, departure],
      ['flight', `${to}-${from}`, back],
      ['cab', to, departure],
      ...[0, 1, 2, 3].map((night): [Service, string, string] => ['hotel', to, dayAfter(startOfDay(departure), night)]),
    ];
    const stocks = await Promise.all(wanted.map(([service, resource, date]) => stockOf(demo, service, resource, date)));
    // Whatever it is of, a trip takes no more than one a passenger.
    if (stocks.some(({ capacity, taken }) => capacity - taken < passengers)) continue;
    const traveller = 'Ada Lovelace';
    return { tripId: session.newId('trip'), traveller, passengers, from, to, departure, return: back };
  }
  throw new OperatorError(
    'The services have no room for a trip on any of many days that were drawn.',
    'Raise `capacity` in src/extras/booking-service, or empty what is booked: pnpm stack reset',
  );
}

const dayAfter = (day: number, days: number) => new Date(day + days * 86_400_000).toISOString().slice(0, 10);

type Stock = { capacity: number; taken: number };

const stockOf = (demo: Demo, service: Service, resource: string, date: string) =>
  call<Stock>(demo, service, 'GET', `stock/${resource}/${date}`);

/** Leaves nothing of what a service has in a city on a day, until the scenario is over. */
export async function fillUp(demo: Demo, service: Service, city: string, date: string): Promise<void> {
  const { capacity, taken } = await stockOf(demo, service, city, date);
  const setCapacity = (to: number) => call(demo, service, 'PUT', `stock/${city}/${date}`, { capacity: to });
  demo.mendLater(() => setCapacity(capacity));
  await setCapacity(taken);
}

/** The next calls that book or cancel lose their connection there: what they did is done, and nobody is told. */
export async function loseReplies(demo: Demo, service: Service, point: 'after-commit', calls: number): Promise<void> {
  const set = (to: number) => call(demo, service, 'PUT', `fault-points/${point}`, { calls: to });
  demo.mendLater(() => set(0));
  await set(calls);
}

/**
 * A service refuses for good to cancel what it has booked for a trip, until the scenario is over.
 * @returns what ends it earlier
 */
export async function refuseCancellation(demo: Demo, service: Service, tripId: string): Promise<() => Promise<void>> {
  const path = `refused-cancellations/${encodeURIComponent(bookingKey(tripId, service))}`;
  const set = async (on: boolean) => void (await call(demo, service, 'PUT', path, { on }));
  demo.mendLater(() => set(false));
  await set(true);
  return () => set(false);
}

async function call<Reply>({ urls }: Demo, service: Service, method: string, path: string, body?: unknown) {
  const response = await fetch(`${urls[service]}/${path}`, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`The ${service} service answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Reply;
}
