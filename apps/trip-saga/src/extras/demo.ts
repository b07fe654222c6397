import { randomInt } from 'node:crypto';
import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BrokenPromise, type Child, followTimeline, freePorts, type Session } from '@repo/dev-stack';
import { connectClient, freshWorkflowBundle } from '@repo/worker-kit';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { cities, type Service, services, type TripOutcome, type TripRequest, tripWorkflowId } from '../contract.ts';
import { bookTrip } from '../starter.ts';
import { Books } from './invariants.ts';
import { provisionServices, serviceProgram } from './local-services.ts';
import { sameByHand } from './same-by-hand.ts';

/** What all scenarios share: three services, a worker and a client of this `start` alone. */
export interface Demo {
  client: Client;
  urls: Record<Service, string>;
  books: Books;
  /** The services' processes: `processes.hotel.stop()`, and `startService('hotel')` to bring it back. */
  processes: Record<Service, Child>;
  startService(service: Service): Promise<void>;
  workers: Child[];
  startWorker(): Promise<void>;
}

const workerProgram = fileURLToPath(new URL('../worker.ts', import.meta.url));

/** Starts the three services and a worker; `start` has a task queue of its own, so that two of them never mix. */
export async function setUp(session: Session, queue = session.taskQueue): Promise<Demo> {
  const { stack } = session;
  const [flight, hotel, cab] = await freePorts(3);
  const ports = { flight, hotel, cab };
  const urlOf = (service: Service) => `http://127.0.0.1:${ports[service]}`;
  const urls = { flight: urlOf('flight'), hotel: urlOf('hotel'), cab: urlOf('cab') };
  const provisioned = provisionServices(stack.postgres?.url ?? '', (name) => stack.secret(name));

  const processes: Partial<Record<Service, Child>> = {};
  const startService = async (service: Service) => {
    const env = { DATABASE_URL: (await provisioned)[service], PORT: String(ports[service]) };
    const name = `${service} service`;
    processes[service] = await session.spawn({ name, file: serviceProgram, args: [service], env });
  };
  const workers: Child[] = [];
  const startWorker = async () => {
    const args = ['--bundle', await freshWorkflowBundle(new URL('../workflows.ts', import.meta.url))];
    // A worker knows where the services are, and nothing of their databases.
    const env = { TASK_QUEUE: queue, FLIGHT_URL: urls.flight, HOTEL_URL: urls.hotel, CAB_URL: urls.cab };
    const name = `worker ${workers.length + 1}`;
    workers.push(await session.spawn({ name, file: workerProgram, args, env: { ...env, DATABASE_URL: undefined } }));
  };
  await Promise.all([startWorker(), ...services.map(startService)]);

  Object.assign(process.env, session.env, { TASK_QUEUE: queue });
  const client = await connectClient();
  session.onCleanUp('close the connection to Temporal', () => client.connection.close());
  const books = new Books(await provisioned);
  session.onCleanUp('close the connections to the databases', () => books.close());
  return { client, urls, books, processes: processes as Record<Service, Child>, startService, workers, startWorker };
}

/** A trip that nobody else books: the day is drawn from a year, and has to be one that nothing is booked on yet. */
export async function freshTrip(session: Session, { urls }: Demo): Promise<TripRequest> {
  for (;;) {
    const from = cities[randomInt(cities.length)] ?? 'BER';
    const to = cities[randomInt(cities.length)] ?? 'LIS';
    const departure = dayFromNow(30 + randomInt(365));
    if (from === to || (await hotelStock(urls.hotel, to, departure)).taken > 0) continue;
    const back = new Date(Date.parse(departure) + 4 * 86_400_000).toISOString().slice(0, 10);
    return {
      tripId: session.newId('trip'),
      traveller: 'Ada Lovelace',
      passengers: 2,
      from,
      to,
      departure,
      return: back,
    };
  }
}

const dayFromNow = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

const stockUrl = (hotelUrl: string, city: string, date: string) => `${hotelUrl}/stock/${city}/${date}`;

async function hotelStock(hotelUrl: string, city: string, date: string): Promise<{ capacity: number; taken: number }> {
  return (await (await fetch(stockUrl(hotelUrl, city, date))).json()) as { capacity: number; taken: number };
}

/** Leaves so many rooms in a city on a day. */
export async function setHotelCapacity({ urls }: Demo, city: string, date: string, capacity: number): Promise<void> {
  const response = await fetch(stockUrl(urls.hotel, city, date), { method: 'PUT', body: JSON.stringify({ capacity }) });
  if (!response.ok) throw new Error(`The hotel service answered ${response.status}: ${await response.text()}`);
}

/**
 * Books a trip as the starter does, while its steps are shown; meanwhile `breakSomething` may do so.
 * @returns the outcome, which must come in spite of it
 */
export async function bookBeforeOurEyes(
  session: Session,
  demo: Demo,
  request: TripRequest,
  breakSomething: () => Promise<void> = async () => {},
): Promise<TripOutcome> {
  const { tripId, from, to, departure, return: back, passengers } = request;
  const workflowId = tripWorkflowId(tripId);
  session.print(`  ${from} → ${to}, ${departure} to ${back}, ${passengers} passengers; workflow ${workflowId}`);
  session.print('');
  const timeline = followTimeline(demo.client, { workflowId, print: session.print });
  try {
    const [outcome] = await Promise.all([bookTrip(demo.client, request, userInfo().username), breakSomething()]);
    await timeline.caughtUp();
    return outcome;
  } finally {
    await timeline.stop();
    session.print('');
    for (const line of await sameByHand(session, demo.client, request)) session.print(line);
  }
}

/** Says what the scenario itself does to the world, between the lines of the timeline. */
export const announce = (session: Session, what: string) => session.print(`          » ${what}`);

/** Resolves with the running activity of this type, once it has been tried `attempt` times. */
export async function activityOf({ client }: Demo, { tripId }: TripRequest, type: string, attempt = 1) {
  const handle = client.workflow.getHandle(tripWorkflowId(tripId));
  return until(async () => {
    const { raw } = await handle.describe();
    return raw.pendingActivities?.find((one) => one.activityType?.name === type && (one.attempt ?? 0) >= attempt);
  });
}

/** The worker that has a trip: the one that took its last workflow task. */
export async function workerOf({ client, workers }: Demo, { tripId }: TripRequest): Promise<Child> {
  const { events } = await client.workflow.getHandle(tripWorkflowId(tripId)).fetchHistory();
  const identity = events?.findLast((event) => event.workflowTaskStartedEventAttributes)
    ?.workflowTaskStartedEventAttributes?.identity;
  const found = workers.find(({ pid }) => identity?.startsWith(`${pid}@`));
  if (!found) throw new Error(`None of this start's workers is ${identity}`);
  return found;
}

/** Asks every 50 ms, also while the trip is not there yet. */
async function until<Found>(ask: () => Promise<Found | undefined>): Promise<Found> {
  for (;;) {
    const found = await ask().catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    });
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @throws BrokenPromise unless the trip is booked in exactly these services, and every stock adds up */
export async function expectInTheBooks({ books }: Demo, tripId: string, expected: readonly Service[]): Promise<void> {
  const actual = await books.activeBookings(tripId);
  if (actual.join() !== expected.join()) throw new BrokenPromise('active bookings in the databases', expected, actual);
  const wrong = await books.stockThatDoesNotAddUp();
  if (wrong.length > 0) throw new BrokenPromise('stock that is not the sum of its bookings', [], wrong);
}
