import { Refusal, transaction } from '@repo/operations';
import type { Pool, PoolClient } from 'pg';
import type { Item, Service } from './requests.ts';

export interface Stock {
  resource: string;
  date: string;
  capacity: number;
  taken: number;
}

const columns = `resource, to_char(date, 'YYYY-MM-DD') AS date, capacity, taken`;

/**
 * Takes all items, or none: throws the refusal `soldOut` for the first one that there is not enough of.
 *
 * Rows are always locked in the order of resource and date, so that two bookings with days in common wait and never deadlock.
 */
export async function takeStock(tx: PoolClient, { capacity, unit }: Service, items: Item[]): Promise<void> {
  await tx.query(
    `INSERT INTO stock (resource, date, capacity) SELECT resource, date, $3 FROM unnest($1::text[], $2::date[]) AS item (resource, date)
     ORDER BY resource COLLATE "C", date ON CONFLICT DO NOTHING`,
    [items.map((item) => item.resource), items.map((item) => item.date), capacity],
  );
  const { rows } = await tx.query<Stock>(
    `SELECT ${columns} FROM stock WHERE (resource, date) IN (SELECT * FROM unnest($1::text[], $2::date[]))
     ORDER BY stock.resource, stock.date FOR UPDATE`,
    [items.map((item) => item.resource), items.map((item) => item.date)],
  );
  for (const { resource, date, capacity, taken } of rows) {
    const wanted = items.find((item) => item.resource === resource && item.date === date)?.quantity ?? 0;
    const left = capacity - taken;
    if (wanted > left) {
      const message = `${wanted} ${unit} wanted for ${resource} on ${date}, ${left} left`;
      throw new Refusal('soldOut', message, { resource, date, wanted, left });
    }
  }
  await change(tx, items, 1);
}

/** Gives back what `takeStock` took. */
export async function returnStock(tx: PoolClient, items: Item[]): Promise<void> {
  await tx.query(
    `SELECT FROM stock WHERE (resource, date) IN (SELECT * FROM unnest($1::text[], $2::date[]))
     ORDER BY stock.resource, stock.date FOR UPDATE`,
    [items.map((item) => item.resource), items.map((item) => item.date)],
  );
  await change(tx, items, -1);
}

async function change(tx: PoolClient, items: Item[], sign: 1 | -1): Promise<void> {
  const { rowCount } = await tx.query(
    `UPDATE stock SET taken = taken + item.quantity FROM unnest($1::text[], $2::date[], $3::int[]) AS item (resource, date, quantity)
     WHERE stock.resource = item.resource AND stock.date = item.date`,
    [items.map((item) => item.resource), items.map((item) => item.date), items.map((item) => item.quantity * sign)],
  );
  if (rowCount !== items.length) throw new Error(`Stock changed in ${rowCount} rows instead of ${items.length}`);
}

/** What there is of a resource on a day. */
export async function findStock(pool: Pool, service: Service, resource: string, date: string): Promise<Stock> {
  const select = `SELECT ${columns} FROM stock WHERE resource = $1 AND date = $2`;
  const { rows } = await transaction(pool, (tx) => tx.query<Stock>(select, [resource, date]));
  return rows[0] ?? { resource, date, capacity: service.capacity, taken: 0 };
}

/** Sets the capacity; undefined, and nothing changed, if more than that is taken already. */
export async function setCapacity(
  pool: Pool,
  { resource, date, capacity }: Omit<Stock, 'taken'>,
): Promise<Stock | undefined> {
  const upsert = `INSERT INTO stock (resource, date, capacity) VALUES ($1, $2, $3)
    ON CONFLICT (resource, date) DO UPDATE SET capacity = EXCLUDED.capacity WHERE stock.taken <= EXCLUDED.capacity
    RETURNING ${columns}`;
  return (await transaction(pool, (tx) => tx.query<Stock>(upsert, [resource, date, capacity]))).rows[0];
}
