import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createPool } from '@repo/operations';
import { postgresUrl } from '@repo/testing';
import type { Pool } from 'pg';
import { type Service, services, type TripRequest } from '../src/contract.ts';
import { createApp } from '../src/extras/booking-service/app.ts';
import { cab } from '../src/extras/booking-service/cab.ts';
import { flight } from '../src/extras/booking-service/flight.ts';
import { hotel } from '../src/extras/booking-service/hotel.ts';
import { Books } from '../src/extras/invariants.ts';
import { provisionServices } from '../src/extras/local-services.ts';

const definitions = { flight, hotel, cab };

// All files share one database, and a process may run several of them: its number would not do.
const file = randomUUID().slice(0, 8);
let trips = 0;

/** What the wire does to a call, beside carrying it. */
type Wire = 'carries' | 'loses the reply' | 'arrives late' | { answers: number };

/**
 * One of the three services, on real HTTP and real PostgreSQL, whose process and wire a test can break.
 */
export class RunningService {
  wire: Wire = 'carries';
  /** How many calls have arrived, by method. */
  readonly calls = { PUT: 0, DELETE: 0, GET: 0 };
  /** How many calls have arrived and are not done yet. */
  underWay = 0;
  /** What the wire keeps back until it is called: the caller has given up on it. */
  readonly late: { key: string; arrive: () => Promise<unknown> }[] = [];
  /** Called with each call that arrives, before it is answered; may say what the wire does to this one. */
  onCall: (method: string, key: string) => unknown = () => {};
  #port = 0;
  #server: Server | undefined;
  readonly #pool: Pool;
  readonly #app: ReturnType<typeof createApp>;

  constructor(service: Service, databaseUrl: string) {
    this.#pool = createPool({ connectionString: databaseUrl });
    this.#app = createApp(definitions[service], this.#pool);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#server = createServer(
      getRequestListener((request, { outgoing }) => {
        this.underWay += 1;
        return this.#answer(request, () => outgoing.destroy()).finally(() => (this.underWay -= 1));
      }),
    ).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #answer(request: Request, hangUp: () => void): Promise<Response> {
    const url = new URL(request.url);
    this.calls[request.method as 'PUT'] += 1;
    const key = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
    const told = (await this.onCall(request.method, key)) as Wire | undefined;
    const wire = told ?? this.wire;
    if (typeof wire === 'object') return Response.json({ error: { message: 'as told' } }, { status: wire.answers });
    if (wire === 'arrives late') {
      const copy = { method: request.method, body: (await request.text()) || null };
      this.late.push({ key, arrive: async () => this.#app.fetch(new Request(url, copy)) });
      hangUp();
      return new Response();
    }
    // Who lists all trips means those of this file: another file's are not its own to put right.
    if (url.searchParams.get('prefix') === 'trip:') url.searchParams.set('prefix', `trip:test-${file}-`);
    const response = await this.#app.fetch(request.method === 'GET' ? new Request(url) : request);
    if (wire === 'loses the reply') hangUp();
    return response;
  }

  /** As if its process had ended: nobody listens on its port. */
  async stop(): Promise<void> {
    const closed = this.#server?.listening && once(this.#server, 'close');
    this.#server?.close();
    this.#server?.closeAllConnections();
    await closed;
  }

  /** Leaves so many of a resource on a day. */
  async setCapacity(resource: string, date: string, capacity: number): Promise<void> {
    await this.#app.request(`/stock/${resource}/${date}`, { method: 'PUT', body: JSON.stringify({ capacity }) });
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#pool.end();
  }
}

export type World = Record<Service, RunningService> & {
  books: Books;
  urls: { FLIGHT_URL: string; HOTEL_URL: string; CAB_URL: string };
  close(): Promise<void>;
};

/** All three services, and their books. */
export async function createWorld(): Promise<World> {
  const urls = await provisionServices(postgresUrl(), async (name) => `secret of ${name}`);
  const [flight, hotel, cab] = services.map((service) => new RunningService(service, urls[service])) as [
    RunningService,
    RunningService,
    RunningService,
  ];
  const all = [flight, hotel, cab];
  await Promise.all(all.map((service) => service.start()));
  const books = new Books(urls);
  return {
    flight,
    hotel,
    cab,
    books,
    urls: { FLIGHT_URL: flight.url, HOTEL_URL: hotel.url, CAB_URL: cab.url },
    close: async () => {
      await Promise.all([...all.map((service) => service.close()), books.close()]);
    },
  };
}

/** A trip in the future of the test server's clock, with an id and a city of its own. */
export function aTrip(now: number, changes: Partial<TripRequest> = {}): TripRequest {
  const inDays = (days: number) => new Date(now + days * 86_400_000).toISOString().slice(0, 10);
  trips += 1;
  return {
    tripId: `test-${file}-${trips}`,
    traveller: 'Ada Lovelace',
    passengers: 2,
    from: 'BER',
    to: 'LIS',
    departure: inDays(60),
    return: inDays(64),
    ...changes,
  };
}
