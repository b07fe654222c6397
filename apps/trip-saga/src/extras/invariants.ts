import pg from 'pg';
import { bookingKey, type Service, services } from '../contract.ts';

/** What must hold in the services' own databases, whatever Temporal says. Tests and scenarios ask the same functions. */
export class Books {
  readonly #pools: Record<Service, pg.Pool>;

  /** @param urls the database URL of each service */
  constructor(urls: Record<Service, string>) {
    const open = (service: Service) => {
      const pool = new pg.Pool({ connectionString: urls[service], max: 2 });
      // A server that stops while the connection is idle is no event of ours; the next query says so.
      pool.on('error', () => {});
      return pool;
    };
    this.#pools = { flight: open('flight'), hotel: open('hotel'), cab: open('cab') };
  }

  /** The services in which a trip is booked at this moment. At rest these are all three or none. */
  async activeBookings(tripId: string): Promise<Service[]> {
    const select = `SELECT FROM bookings WHERE key = $1 AND status = 'booked'`;
    const booked = await Promise.all(
      services.map(
        async (service) => (await this.#pools[service].query(select, [bookingKey(tripId, service)])).rowCount,
      ),
    );
    return services.filter((_, index) => booked[index]);
  }

  /** What a service has confirmed to a trip; undefined if it has no such booking. */
  async confirmation(service: Service, tripId: string): Promise<string | undefined> {
    const select = `SELECT confirmation FROM bookings WHERE key = $1 AND status = 'booked'`;
    const { rows } = await this.#pools[service].query<{ confirmation: string }>(select, [bookingKey(tripId, service)]);
    return rows[0]?.confirmation;
  }

  /** Days on which what is taken is not the sum of the active bookings. There must be none. */
  async stockThatDoesNotAddUp(): Promise<string[]> {
    const select = `
      SELECT resource || ' on ' || date AS day, coalesce(taken, 0) AS taken, coalesce(booked, 0) AS booked
      FROM (SELECT resource, to_char(date, 'YYYY-MM-DD') AS date, taken FROM stock) AS stock
      FULL JOIN (
        SELECT item ->> 'resource' AS resource, item ->> 'date' AS date, sum((item ->> 'quantity')::int) AS booked
        FROM bookings, jsonb_array_elements(items) AS item WHERE status = 'booked' GROUP BY 1, 2
      ) AS bookings USING (resource, date)
      WHERE coalesce(taken, 0) <> coalesce(booked, 0)`;
    const found = await Promise.all(
      services.map(async (service) => {
        const { rows } = await this.#pools[service].query<{ day: string; taken: number; booked: number }>(select);
        return rows.map(({ day, taken, booked }) => `${service} ${day}: ${taken} taken, ${booked} booked`);
      }),
    );
    return found.flat();
  }

  async close(): Promise<void> {
    await Promise.all(services.map((service) => this.#pools[service].end()));
  }
}
