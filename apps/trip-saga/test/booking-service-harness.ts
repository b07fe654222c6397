import { fileURLToPath } from 'node:url';
import { joinStack, provisionDatabase } from '@repo/dev-stack';
import { createPool } from '@repo/operations';
import { postgresUrl } from '@repo/testing';
import type { Hono } from 'hono';
import type { Pool } from 'pg';
import { expect } from 'vitest';
import { createApp } from '../src/extras/booking-service/app.ts';
import { cab } from '../src/extras/booking-service/cab.ts';
import { flight } from '../src/extras/booking-service/flight.ts';
import { hotel } from '../src/extras/booking-service/hotel.ts';
import type { Item } from '../src/extras/booking-service/requests.ts';

export const names = ['flight', 'hotel', 'cab'] as const;
export type Name = (typeof names)[number];

export const requests = {
  flight: { from: 'BER', to: 'LIS', departure: '2030-03-30', return: '2030-04-02', passengers: 3 },
  hotel: { city: 'LIS', arrival: '2030-03-30', departure: '2030-04-02', guests: 3 },
  cab: { city: 'LIS', date: '2030-03-30', passengers: 3 },
};

export const migrations = fileURLToPath(new URL('../migrations', import.meta.url));

/** A PostgreSQL that nobody else uses, so that a test may stop it. */
export async function joinPostgres(name: string) {
  const stack = await joinStack({ need: ['postgres'], stack: name, ephemeral: true, ignoreEnvironment: true });
  return { stack, adminUrl: stack.postgres?.url ?? '' };
}

/** The three services in this process, on three schemas of a database of their own. */
export async function createServices(name: string) {
  const schemas = names.map((name) => ({ schema: name, role: `${name}_role`, password: `pw-${name}`, migrations }));
  const database = name.replaceAll('-', '_');
  const urls = await provisionDatabase({ adminUrl: postgresUrl(), database, schemas });
  const pool = (name: Name) => createPool({ connectionString: urls[`${name}_role`] });
  const pools: Record<Name, Pool> = { flight: pool('flight'), hotel: pool('hotel'), cab: pool('cab') };
  const apps: Record<Name, Hono> = {
    flight: createApp(flight, pools.flight),
    hotel: createApp(hotel, pools.hotel),
    cab: createApp(cab, pools.cab),
  };

  async function call(name: Name, method: string, path: string, body?: unknown) {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await apps[name].request(path, { method, body: text });
    return { status: response.status, body: (await response.json()) as Reply };
  }

  return {
    pools,
    call,
    put: (name: Name, key: string, request: unknown = requests[name]) => call(name, 'PUT', `/bookings/${key}`, request),
    remove: (name: Name, key: string) => call(name, 'DELETE', `/bookings/${key}`),
    stockOf: async (name: Name, { resource, date }: Item) =>
      (await call(name, 'GET', `/stock/${resource}/${date}`)).body,
    stop: async () => {
      for (const name of names) await pools[name].end();
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert
type Reply = any;

export const error = (type: string, more = {}) => ({
  error: expect.objectContaining({ type, message: expect.any(String), ...more }),
});

/** How many operations and bookings there are for a key. */
export async function count(pool: Pool, key: string) {
  const sql = `SELECT (SELECT count(*)::int FROM operations WHERE key = $1) AS operations,
    (SELECT count(*)::int FROM bookings WHERE key = $1) AS bookings`;
  return (await pool.query(sql, [key])).rows[0];
}

/** Stock rows whose `taken` is not the sum of what is booked. */
export async function imbalance(pool: Pool) {
  const sql = `SELECT resource, date, taken, coalesce(sum(quantity), 0) AS booked FROM stock LEFT JOIN (
      SELECT item ->> 'resource' AS resource, (item ->> 'date')::date AS date, (item ->> 'quantity')::int AS quantity
      FROM bookings, jsonb_array_elements(items) AS item WHERE status = 'booked') AS held USING (resource, date)
    GROUP BY resource, date, taken HAVING taken <> coalesce(sum(quantity), 0)`;
  return (await pool.query(sql)).rows;
}
