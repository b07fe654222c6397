import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { OperationStatus } from './schema.ts';
import { transaction } from './transaction.ts';

/** Thrown by an effect that may not happen, today or later: sold out, no funds. It is stored, and every later call gets the same. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly type: string;
  readonly details: Record<string, unknown>;

  /** Programs branch on `type`; `details` is plain JSON for whoever has to explain the refusal. */
  constructor(type: string, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.type = type;
    this.details = details;
  }
}

/** A refusal as it is stored. */
export type Refused = Pick<Refusal, 'type' | 'message' | 'details'>;

export type Performed<Outcome> =
  | { status: 'done'; outcome: Outcome; replayed: boolean }
  | { status: 'refused'; refusal: Refused; replayed: boolean }
  /** The key belongs to another request. Nothing was done. */
  | { status: 'mismatch' }
  /** The key was cancelled, perhaps before this call arrived. Nothing was done, and nothing will be. */
  | { status: 'cancelled' };

/** `compensated` if there was an effect and it has been undone, otherwise `cancelled`; the same however often it is asked. */
export type Cancelled = { status: 'cancelled' | 'compensated'; replayed: boolean };

interface Row {
  status: OperationStatus;
  request_hash: string | null;
  outcome: unknown;
}

/**
 * Makes `effect` at most once per key, in the transaction that records the key; every further call with the same request
 * gets the stored outcome (`replayed`). At the same time is no different: the second call waits for the first.
 *
 * `effect` must write through `tx` only, return plain JSON, and throw a `Refusal` for a no that lasts; what it wrote before
 * that is rolled back. Any other error is thrown on with nothing stored, so the key can be tried again.
 * @param operation `request` is anything that JSON can hold; the order of its keys does not matter.
 * @throws DatabaseUnavailable if the transaction could not be finished; call again with the same key.
 */
export function performOnce<Outcome>(
  pool: Pool,
  operation: { key: string; request: unknown },
  effect: (tx: PoolClient) => Promise<Outcome>,
): Promise<Performed<Outcome>> {
  const hash = hashOf(operation.request);
  return transaction(pool, async (tx) => {
    if (!(await claim(tx, operation.key, 'done', hash))) return replay(await read(tx, operation.key), hash);
    await tx.query('SAVEPOINT effect');
    try {
      const outcome = await effect(tx);
      return { status: 'done', outcome: await store(tx, operation.key, 'done', outcome), replayed: false };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await tx.query('ROLLBACK TO SAVEPOINT effect');
      const { type, message, details } = error;
      const refusal = await store<Refused>(tx, operation.key, 'refused', { type, message, details });
      return { status: 'refused', refusal, replayed: false };
    }
  });
}

/**
 * Makes sure that the operation has no effect, now or later. What was done is undone, with its outcome at hand, in the
 * transaction that records it; what never arrived gets a tombstone, and is refused when it comes late.
 *
 * If `undo` throws, nothing has changed.
 * @throws DatabaseUnavailable if the transaction could not be finished; call again.
 */
export function cancelOnce<Outcome>(
  pool: Pool,
  key: string,
  undo: (tx: PoolClient, outcome: Outcome) => Promise<void>,
): Promise<Cancelled> {
  return transaction(pool, async (tx) => {
    if (await claim(tx, key, 'cancelled', null)) return { status: 'cancelled', replayed: false };
    const row = await read(tx, key, 'FOR UPDATE');
    if (row.status === 'cancelled' || row.status === 'compensated') return { status: row.status, replayed: true };
    if (row.status === 'done') await undo(tx, row.outcome as Outcome);
    const status = row.status === 'done' ? 'compensated' : 'cancelled';
    await tx.query('UPDATE operations SET status = $2, updated_at = now() WHERE key = $1', [key, status]);
    return { status, replayed: false };
  });
}

export interface Operation {
  key: string;
  status: OperationStatus;
  /** What the effect returned, or the refusal. Undefined for a tombstone. */
  outcome: unknown;
  createdAt: Date;
  updatedAt: Date;
}

/** What is known of a key; undefined if it was never heard of. For reconcilers: to act, call `performOnce` or `cancelOnce`. */
export async function findOperation(pool: Pool, key: string): Promise<Operation | undefined> {
  const { rows } = await transaction(pool, (tx) => tx.query('SELECT * FROM operations WHERE key = $1', [key]));
  const [row] = rows;
  if (!row) return undefined;
  const { status, outcome, created_at: createdAt, updated_at: updatedAt } = row;
  return { key, status, outcome: outcome ?? undefined, createdAt, updatedAt };
}

/** True if the key is now ours. Waits while another transaction has claimed it, until that one commits or rolls back. */
async function claim(tx: PoolClient, key: string, status: OperationStatus, hash: string | null): Promise<boolean> {
  const insert = 'INSERT INTO operations (key, status, request_hash) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING';
  return (await tx.query(insert, [key, status, hash])).rowCount === 1;
}

async function read(tx: PoolClient, key: string, lock: 'FOR UPDATE' | '' = ''): Promise<Row> {
  const select = `SELECT status, request_hash, outcome FROM operations WHERE key = $1 ${lock}`;
  const [row] = (await tx.query<Row>(select, [key])).rows;
  if (!row) throw new Error(`Operation ${key} was deleted while it was being asked for`);
  return row;
}

/** Gives back what the database made of the outcome, so that the first answer equals every later one. */
async function store<Outcome>(
  tx: PoolClient,
  key: string,
  status: OperationStatus,
  outcome: Outcome,
): Promise<Outcome> {
  const update = 'UPDATE operations SET status = $2, outcome = $3, updated_at = now() WHERE key = $1 RETURNING outcome';
  return (await tx.query(update, [key, status, JSON.stringify(outcome ?? null)])).rows[0].outcome;
}

/** A cancelled key answers so whatever the request: its tombstone does not know which one it stands for. */
function replay<Outcome>(row: Row, hash: string): Performed<Outcome> {
  if (row.status === 'cancelled' || row.status === 'compensated') return { status: 'cancelled' };
  if (row.request_hash !== hash) return { status: 'mismatch' };
  if (row.status === 'refused') return { status: 'refused', refusal: row.outcome as Refused, replayed: true };
  return { status: 'done', outcome: row.outcome as Outcome, replayed: true };
}

/** SHA-256 of the request as JSON with sorted keys. */
function hashOf(request: unknown): string {
  const sorted = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash('sha256').update(JSON.stringify(request, sorted)).digest('hex');
}
