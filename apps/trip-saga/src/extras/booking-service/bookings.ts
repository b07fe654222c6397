import { createHash } from 'node:crypto';
import { type Cancelled, cancelOnce, type Performed, performOnce, transaction } from '@repo/operations';
import type { Pool } from 'pg';
import type { Item, Service } from './requests.ts';
import { returnStock, takeStock } from './stock.ts';

export interface Booking {
  key: string;
  /** What the traveller shows at the desk. */
  confirmation: string;
  status: 'booked' | 'cancelled';
  items: Item[];
}

/** Books once per key: the operation, the booking and its stock are one transaction. Refuses with `soldOut`. */
export function book<Request>(
  pool: Pool,
  service: Service<Request>,
  key: string,
  request: Request,
): Promise<Performed<Booking>> {
  return performOnce(pool, { key, request }, async (tx) => {
    const items = service.items(request);
    await takeStock(tx, service, items);
    const booking: Booking = { key, confirmation: confirmationFor(service, key), status: 'booked', items };
    await tx.query('INSERT INTO bookings (key, status, confirmation, request, items) VALUES ($1, $2, $3, $4, $5)', [
      key,
      booking.status,
      booking.confirmation,
      JSON.stringify(request),
      JSON.stringify(items),
    ]);
    return booking;
  });
}

/** Makes sure that there is no such booking, now or later. */
export function cancel(pool: Pool, key: string): Promise<Cancelled> {
  return cancelOnce<Booking>(pool, key, async (tx, booking) => {
    await tx.query(`UPDATE bookings SET status = 'cancelled' WHERE key = $1`, [key]);
    await returnStock(tx, booking.items);
  });
}

/** Undefined if nothing was ever booked under the key. */
export async function findBooking(pool: Pool, key: string): Promise<Booking | undefined> {
  const select = 'SELECT key, confirmation, status, items FROM bookings WHERE key = $1';
  return (await transaction(pool, (tx) => tx.query<Booking>(select, [key]))).rows[0];
}

/** The first 500 bookings whose key starts with `prefix` and comes after `after`, by key. */
export async function listBookings(pool: Pool, prefix: string, after: string) {
  const select = `SELECT key, confirmation, status, items, created_at AS "createdAt" FROM bookings
    WHERE starts_with(key, $1) AND key > $2 ORDER BY key LIMIT 500`;
  return (await transaction(pool, (tx) => tx.query<Booking & { createdAt: Date }>(select, [prefix, after]))).rows;
}

/** Made of the key and not by chance: a booking has one code, whoever works it out. */
function confirmationFor({ name }: Service, key: string): string {
  const digest = createHash('sha256').update(`${name} ${key}`).digest('hex');
  return `${name.toUpperCase()}-${digest.slice(0, 10).toUpperCase()}`;
}
