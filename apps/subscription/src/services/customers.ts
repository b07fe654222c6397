import { statement } from '@repo/operations';
import type { Pool } from 'pg';
import { z } from 'zod';
import { customerId, line, timeZone } from '../contract.ts';
import { isTimeZone } from './calendar.ts';

/** For the doors: every field checked, unknown fields refused. */
export const customerFields = z.strictObject({
  id: customerId,
  name: line(100),
  email: z
    .string('must be text')
    // Nothing of it may become a header of its own in a mail.
    .regex(/^[\x21-\x7e]{3,254}$/, 'must be an address such as ada@example.com, without line breaks or blanks')
    .pipe(z.email('must be an address such as ada@example.com')),
  account: customerId,
  timeZone: timeZone.refine(isTimeZone, 'must be the name of a time zone, such as Europe/Berlin').default('UTC'),
});

/** Who can subscribe, and where what they owe and their mail goes. `id` is how the app calls them. */
export interface Customer {
  id: string;
  /** As a mail addresses them. */
  name: string;
  email: string;
  /** Of the ledger. */
  account: string;
  timeZone: string;
}

/** The app's own customers. All throw `DatabaseUnavailable` if there is no answer. */
export interface Customers {
  /** Undefined if there is none. */
  find(id: string): Promise<Customer | undefined>;
  /** Adds one, or changes name, e-mail address, account and time zone of the one that is there. Fields as `customerFields` checks them. */
  put(customer: Customer): Promise<Customer>;
  /** By id, those after `after`; 100 unless told otherwise. */
  list(request?: { after?: string; limit?: number }): Promise<Customer[]>;
}

const columns = 'id, name, email, account, time_zone AS "timeZone"';

/** @param pool of the application's role, whose search_path is the customers' schema */
export function createCustomers(pool: Pool): Customers {
  return {
    find: async (id) => {
      const [row] = await statement<Customer>(pool, `SELECT ${columns} FROM customers WHERE id = $1`, [id]);
      return row;
    },
    put: async ({ id, name, email, account, timeZone }) => {
      const upsert = `INSERT INTO customers (id, name, email, account, time_zone) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email, account = excluded.account,
          time_zone = excluded.time_zone
        RETURNING ${columns}`;
      const [row] = await statement<Customer>(pool, upsert, [id, name, email, account, timeZone]);
      if (!row) throw new Error(`customer ${id} was not kept`);
      return row;
    },
    list: ({ after = '', limit = 100 } = {}) =>
      statement<Customer>(pool, `SELECT ${columns} FROM customers WHERE id > $1 ORDER BY id LIMIT $2`, [after, limit]),
  };
}
