import { z } from 'zod';
import { bookingKey, type Service, services } from '../../contract.ts';
import { createServices, ServiceError, type servicesConfig } from '../../services.ts';

/** What the three services hold, seen through their own HTTP interfaces. */

export type Urls = z.infer<typeof servicesConfig>;

const listed = z.object({
  key: z.string(),
  status: z.string(),
  createdAt: z.coerce.date(),
  items: z.array(z.object({ date: z.string() })),
});

/** The bookings that a service has, or had, for one trip. */
export interface StoredBooking {
  service: Service;
  tripId: string;
  active: boolean;
  /** Milliseconds since the epoch, by the service's clock. */
  createdAt: number;
  /** The last day for which something is booked, YYYY-MM-DD. */
  lastDay: string;
}

const answerWithin = 10_000; // milliseconds; a page of 500 bookings, or one booking
const pageSize = 500;

export class Stores {
  readonly #urls: Record<Service, string>;
  readonly #services: ReturnType<typeof createServices>;

  constructor(urls: Urls) {
    this.#urls = { flight: urls.FLIGHT_URL, hotel: urls.HOTEL_URL, cab: urls.CAB_URL };
    this.#services = createServices(urls);
  }

  /** All bookings of trips, by trip. @throws ServiceError unless all three services answer */
  async bookingsByTrip(): Promise<Map<string, StoredBooking[]>> {
    const found = await Promise.all(services.map((service) => this.#bookingsOf(service)));
    const byTrip = new Map<string, StoredBooking[]>();
    for (const booking of found.flat()) byTrip.set(booking.tripId, [...(byTrip.get(booking.tripId) ?? []), booking]);
    return byTrip;
  }

  /** The services in which the trip is booked at this moment. @throws ServiceError unless all three answer */
  async activeIn(tripId: string): Promise<Service[]> {
    const active = await Promise.all(
      services.map(async (service) => {
        const path = `bookings/${encodeURIComponent(bookingKey(tripId, service))}`;
        // Not there, cancelled before it came, refused: all of these are answers.
        const answer = await this.#get(service, path, [404, 410, 422]);
        return (answer as { status?: string }).status === 'booked';
      }),
    );
    return services.filter((_, index) => active[index]);
  }

  /** Makes sure that there is no such booking, now or later. @throws ServiceError */
  async cancel(tripId: string, service: Service): Promise<void> {
    await this.#services[service].cancel(bookingKey(tripId, service), AbortSignal.timeout(answerWithin));
  }

  async #bookingsOf(service: Service): Promise<StoredBooking[]> {
    const found: StoredBooking[] = [];
    for (let after = ''; ; ) {
      const query = new URLSearchParams({ prefix: 'trip:', ...(after && { after }) });
      const page = z.object({ bookings: z.array(listed) }).parse(await this.#get(service, `bookings?${query}`, []));
      for (const { key, status, createdAt, items } of page.bookings) {
        const [, tripId] = /^trip:([A-Za-z0-9-]+):/.exec(key) ?? [];
        // A key that is none of ours belongs to another customer of the service.
        if (tripId === undefined || key !== bookingKey(tripId, service)) continue;
        const lastDay =
          items
            .map(({ date }) => date)
            .sort()
            .at(-1) ?? '';
        found.push({ service, tripId, active: status === 'booked', createdAt: createdAt.getTime(), lastDay });
      }
      const last = page.bookings.at(-1);
      if (last === undefined || page.bookings.length < pageSize) return found;
      after = last.key;
    }
  }

  async #get(service: Service, path: string, alsoAnswers: number[]): Promise<unknown> {
    const base = this.#urls[service];
    let status: number | undefined;
    try {
      const target = new URL(path, base.endsWith('/') ? base : `${base}/`);
      const response = await fetch(target, { signal: AbortSignal.timeout(answerWithin) });
      status = response.status;
      const answer: unknown = await response.json();
      if (response.ok || alsoAnswers.includes(status)) return answer;
    } catch (cause) {
      throw new ServiceError(service, status, `${service} service does not answer`, { cause });
    }
    throw new ServiceError(service, status, `${service} service answered ${status}`);
  }
}
