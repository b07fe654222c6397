import { statement } from '@repo/operations';
import type { Pool } from 'pg';
import * as check from './check.ts';
import { LedgerError } from './errors.ts';
import { ledgerFailureTypes } from './failure-types.ts';
import type * as types from './types.ts';

/** What can be asked of the books. Each call sees one moment; all throw `DatabaseUnavailable` if there is no answer. */
export interface Reader {
  /** Throws a `LedgerError` of type `unknownAccount`. */
  account(request: { account: string }): Promise<types.Account>;
  /** Customers' accounts by name, those after `after`; `limit` is 100 if left out, and 1000 at most. */
  accounts(request?: { after?: string; limit?: number }): Promise<types.Account[]>;
  /** Minor units, with all that has happened until then and at that very time, in business time. */
  balanceAt(request: { account: string; at: string }): Promise<{ balance: number }>;
  statement(request: types.StatementRequest): Promise<types.Statement>;
  /** What rests in suspense, by reference. */
  suspense(request?: types.SuspenseRequest): Promise<types.SuspenseItem[]>;
  /** What became of the money of a reference; undefined if nothing was ever asked for it that had an effect. */
  transfer(request: { reference: string }): Promise<types.Transfer | undefined>;
  /** What is known of a key; undefined if it was never heard of. To act on it, make the call itself again. */
  operation(request: { key: string }): Promise<types.Operation | undefined>;
  /** The charge that succeeded under this name; undefined if none has. */
  settlement(request: { settles: string }): Promise<types.Settlement | undefined>;
  /** One for each currency; `customers`, `suspense` and `external` sum to zero. Reads every entry. */
  totals(): Promise<types.Totals[]>;
  /** Accounts whose balance is not the sum of their entries: none. Reads every entry. */
  discrepancies(): Promise<{ account: string; balance: string; entries: string }[]>;
}

const anyAccount = (text: unknown) =>
  typeof text === 'string' && /^(suspense|external):[A-Z]{3}$/.test(text) ? text : check.account('account', text);

const pageSize = (limit: unknown = 100) => check.integer('limit', limit, 1, 1000);

const accountColumns = `id AS account, kind, currency, status, overdraft, opened_at AS "openedAt",
  coalesce(balance::numeric, (SELECT coalesce(sum(amount), 0) FROM entries WHERE account_id = accounts.id)) AS balance`;

/** @param pool of the application's role, whose search_path is the ledger's schema */
export function createReader(pool: Pool): Reader {
  const query = <Row extends object>(text: string, values?: unknown[]) => statement<Row>(pool, text, values);

  return {
    account: async (request) => {
      const id = anyAccount(request.account);
      const [row] = await query<AccountRow>(`SELECT ${accountColumns} FROM accounts WHERE id = $1`, [id]);
      if (!row) throw unknown(id);
      return toAccount(row);
    },
    accounts: async ({ after = '', limit } = {}) => {
      const select = `SELECT ${accountColumns} FROM accounts WHERE kind = 'customer' AND id > $1 ORDER BY id LIMIT $2`;
      return (await query<AccountRow>(select, [check.position('after', after), pageSize(limit)])).map(toAccount);
    },
    balanceAt: async ({ account, at }) => {
      const id = anyAccount(account);
      const sum = `SELECT (SELECT coalesce(sum(amount), 0) FROM entries WHERE account_id = a.id AND at <= $2) AS balance
        FROM accounts AS a WHERE id = $1`;
      const [row] = await query<{ balance: string }>(sum, [id, check.instant('at', at)]);
      if (!row) throw unknown(id);
      return { balance: exact(row.balance) };
    },
    statement: (request) => readStatement(query, request),
    suspense: async ({ olderThan = 0, after = '', limit } = {}) => {
      const select = `SELECT reference, account_id AS account, amount, currency, at,
          extract(epoch FROM clock_timestamp() - created_at) * 1000 AS age
        FROM suspense_items WHERE status = 'resting' AND reference > $1
          AND created_at <= clock_timestamp() - $2 * interval '1 millisecond'
        ORDER BY reference LIMIT $3`;
      const oldest = check.integer('olderThan', olderThan, 0, Number.MAX_SAFE_INTEGER);
      const rows = await query<SuspenseRow>(select, [check.position('after', after), oldest, pageSize(limit)]);
      return rows.map((row) => ({
        ...row,
        amount: exact(row.amount),
        at: row.at.toISOString(),
        age: Math.max(0, Math.floor(Number(row.age))),
      }));
    },
    transfer: async (request) => {
      const select =
        'SELECT status, account_id AS account, amount, currency, at FROM suspense_items WHERE reference = $1';
      const reference = check.reference(request.reference);
      const [row] = await query<TransferRow>(select, [reference]);
      if (!row) return undefined;
      const { status, account, amount, currency } = row;
      const known = { reference, at: row.at.toISOString() };
      return status === 'cancelled'
        ? { ...known, status }
        : { ...known, status, account, amount: exact(amount), currency };
    },
    operation: async (request) => {
      const select = 'SELECT kind, status, outcome, at, created_at AS "createdAt" FROM operations WHERE key = $1';
      const key = check.key(request.key);
      const [row] = await query<OperationRow>(select, [key]);
      return row && { ...row, key, at: row.at.toISOString(), createdAt: row.createdAt.toISOString() };
    },
    settlement: async (request) => {
      const select = `SELECT outcome AS posting, EXISTS (SELECT FROM operations WHERE refunds = o.key) AS refunded
        FROM operations AS o WHERE settles = $1`;
      const [row] = await query<types.Settlement>(select, [check.name('settles', request.settles, 200)]);
      return row;
    },
    totals: () => query<types.Totals>(totals),
    discrepancies: () =>
      query(`SELECT a.id AS account, balance::text, coalesce(sum(amount), 0)::text AS entries
        FROM accounts AS a LEFT JOIN entries ON account_id = a.id WHERE kind = 'customer'
        GROUP BY a.id HAVING balance <> coalesce(sum(amount), 0) ORDER BY a.id`),
  };
}

/** Customers by their balances and not by their entries: two sources that have to agree. */
const totals = `
  SELECT currency,
    coalesce(sum(balance), 0)::text AS customers,
    coalesce((SELECT sum(amount) FROM suspense_items AS i WHERE i.currency = a.currency AND status = 'resting'), 0)::text
      AS suspense,
    coalesce((SELECT sum(amount) FROM entries WHERE account_id = 'external:' || a.currency), 0)::text AS external
  FROM accounts AS a GROUP BY currency ORDER BY currency`;

type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>;

/** Balances are sums by business time: a retry that came late belongs where its time says, not where it was written. */
const readStatement = async (query: Query, request: types.StatementRequest): Promise<types.Statement> => {
  const id = anyAccount(request.account);
  const { after } = request;
  const limit = pageSize(request.limit);
  const from = request.from === undefined ? '-infinity' : check.instant('from', request.from);
  const to = request.to === undefined ? 'infinity' : check.instant('to', request.to);
  // No entry has id 0: with it, the position is right before all that has happened at `from`.
  const start = after
    ? [check.instant('after.at', after.at), check.integer('after.id', after.id, 1, Number.MAX_SAFE_INTEGER)]
    : [from, 0];
  const [row] = await query<StatementRow>(statementText, [id, ...start, to, limit + 1]);
  if (!row) throw unknown(id);
  const opening = exact(row.opening);
  let closing = opening;
  const entries = row.entries.slice(0, limit).map(({ at, ...entry }): types.StatementEntry => {
    closing = exact(closing + entry.amount);
    return { ...entry, at: new Date(at).toISOString(), balance: closing };
  });
  const last = row.entries.length > limit ? entries.at(-1) : undefined;
  const page = { account: id, currency: row.currency, opening, entries, closing };
  return last ? { ...page, next: { at: last.at, id: last.id } } : page;
};

const statementText = `
  SELECT currency,
    (SELECT coalesce(sum(amount), 0) FROM entries WHERE account_id = a.id AND (at, id) <= ($2::timestamptz, $3::bigint))
      AS opening,
    (SELECT coalesce(jsonb_agg(to_jsonb(page) ORDER BY page.at, page.id), '[]') FROM (
      SELECT e.id, operation_key AS key, o.kind, e.amount, e.at,
        (SELECT account_id FROM entries WHERE operation_key = e.operation_key AND account_id <> a.id) AS counterparty
      FROM entries AS e JOIN operations AS o ON o.key = operation_key
      WHERE account_id = a.id AND (e.at, e.id) > ($2::timestamptz, $3::bigint) AND e.at < $4
      ORDER BY e.at, e.id LIMIT $5
    ) AS page) AS entries
  FROM accounts AS a WHERE id = $1`;

interface StatementRow {
  currency: string;
  opening: string;
  entries: Omit<types.StatementEntry, 'balance'>[];
}
type AccountRow = Omit<types.Account, 'overdraft' | 'balance' | 'openedAt'> & {
  overdraft: string;
  balance: string;
  openedAt: Date;
};
type TransferRow = Omit<SuspenseRow, 'reference' | 'age'> & { status: types.Transfer['status'] };
type OperationRow = Omit<types.Operation, 'key' | 'at' | 'createdAt'> & { at: Date; createdAt: Date };
type SuspenseRow = Omit<types.SuspenseItem, 'amount' | 'at' | 'age'> & { amount: string; at: Date; age: string };

const toAccount = ({ overdraft, balance, openedAt, ...row }: AccountRow): types.Account => ({
  ...row,
  overdraft: exact(overdraft),
  balance: exact(balance),
  openedAt: openedAt.toISOString(),
});

/** A customer's balance always is; what has come from outside in all might not be some day. */
function exact(minorUnits: string | number): number {
  const number = Number(minorUnits);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${minorUnits} minor units cannot be counted exactly`);
  return number;
}

const unknown = (account: string) =>
  new LedgerError(ledgerFailureTypes.unknownAccount, `There is no account ${account}`, { account });
