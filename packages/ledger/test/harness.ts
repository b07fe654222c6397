import { randomUUID } from 'node:crypto';
import { provisionDatabase } from '@repo/dev-stack';
import { createPool } from '@repo/operations';
import type { Pool } from 'pg';
import { expect, inject } from 'vitest';
import { createLedger, type Ledger, ledgerMigrations } from '../src/index.ts';

export interface Books {
  ledger: Ledger;
  /** Connected as the application is. */
  pool: Pool;
  /** Connected with the rights of whoever runs migrations. */
  owner: Pool;
  url: string;
  close: () => Promise<void>;
}

/** A database with a ledger in it, provisioned as an app does it. */
export async function createBooks(database: string): Promise<Books> {
  const adminUrl = inject('databaseUrl');
  const role = `${database}_app`;
  const schemas = [{ schema: 'ledger', role, password: randomUUID(), migrations: ledgerMigrations }];
  const url = (await provisionDatabase({ adminUrl, database, schemas }))[role] ?? '';
  const pool = createPool({ connectionString: url, max: 20 });
  const adminsUrl = new URL(adminUrl);
  adminsUrl.pathname = database;
  const options = `-c role=${database}_owner -c search_path=ledger`;
  const owner = createPool({ connectionString: adminsUrl.href, max: 4, options });
  const close = async () => {
    await Promise.all([pool.end(), owner.end()]);
  };
  return { ledger: createLedger(pool), pool, owner, url, close };
}

let count = 0;
/** A name that no other test has. */
export const fresh = (what: string): string => `${what}-${++count}`;

/** Business time: nothing depends on when a test runs. */
export const noon = '2027-03-20T12:00:00.000Z';
export const later = (milliseconds: number): string => new Date(Date.parse(noon) + milliseconds).toISOString();

/** An account of its own for a test, with money on it. */
export async function openedWith(
  ledger: Ledger,
  balance: number,
  more: { currency?: string; overdraft?: number } = {},
) {
  const { currency = 'EUR', overdraft = 0 } = more;
  const account = fresh('account');
  await ledger.openAccount({ key: `${account}:open`, at: noon, account, currency, overdraft });
  if (balance > 0) await ledger.payIn({ key: `${account}:pay-in`, at: noon, account, amount: balance, currency });
  return account;
}

export const balanceOf = async (ledger: Ledger, account: string): Promise<number> =>
  (await ledger.account({ account })).balance;

/** What the tables hold of a key: its status, and its entries as [account, amount]. */
export async function stored({ pool }: Books, key: string) {
  const { rows: operations } = await pool.query('SELECT status FROM operations WHERE key = $1', [key]);
  const select = 'SELECT account_id, amount FROM entries WHERE operation_key = $1 ORDER BY id';
  const { rows: entries } = await pool.query(select, [key]);
  return {
    statuses: operations.map(({ status }) => status),
    entries: entries.map(({ account_id, amount }) => [account_id, Number(amount)]),
  };
}

/** The books as a whole add up. */
export async function expectSound({ ledger }: Books): Promise<void> {
  expect(await ledger.discrepancies()).toEqual([]);
  for (const { customers, suspense, external } of await ledger.totals()) {
    expect(BigInt(customers) + BigInt(suspense) + BigInt(external)).toBe(0n);
  }
}

/** What a call was refused with; fails if it was not. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  const outcome = await call.then(
    (answer) => ({ answer }),
    (error: { type?: string }) => ({ error }),
  );
  if (!('error' in outcome)) throw new Error(`Not refused: ${JSON.stringify(outcome.answer)}`);
  if (outcome.error.type === undefined) throw outcome.error;
  return outcome.error.type;
}
