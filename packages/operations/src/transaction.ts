import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/**
 * The transaction did not come to its end, for a reason that passes: no connection, a server that stops or starts,
 * conflicts that did not cease. It may even have been committed, if only the reply was lost: call again with the same key.
 */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable';
}

/**
 * A pool that survives its server: connections that break while idle are reported to `onError` and replaced by the next query.
 *
 * Waits up to 5 s for a connection. A statement may take 30 s, and a transaction whose owner has stopped (SIGSTOP, a
 * debugger) loses its locks after 30 s; `options` win over these.
 */
export function createPool(options: pg.PoolConfig, onError: (error: Error) => void = () => {}): pg.Pool {
  const pool = new pg.Pool({
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    // For a server that does not answer at all; later than its own time-out, which says more.
    query_timeout: 35_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    ...options,
  });
  // Without a listener, a server that stops ends this process.
  pool.on('error', onError);
  return pool;
}

/**
 * Runs `work` in one READ COMMITTED transaction and returns what it returns once that is committed.
 *
 * After a serialisation failure or a deadlock everything is run again, up to 6 times within about a second, so `work` must
 * touch nothing but `tx`. Whatever `work` throws rolls back and is thrown on.
 * @throws DatabaseUnavailable see there
 */
export function transaction<Result>(pool: pg.Pool, work: (tx: pg.PoolClient) => Promise<Result>): Promise<Result> {
  return untilNoConflict(() =>
    onConnection(pool, async (tx) => {
      await tx.query('BEGIN ISOLATION LEVEL READ COMMITTED');
      const result = await work(tx);
      const { command } = await tx.query('COMMIT');
      // PostgreSQL answers COMMIT with ROLLBACK, not with an error, if `work` swallowed the error of a statement.
      if (command !== 'COMMIT') throw new Error('Rolled back: a statement failed and its error was not thrown on');
      return result;
    }),
  );
}

/**
 * Runs one statement as a transaction of its own, in one round trip, and returns its rows once that is committed.
 *
 * After a serialisation failure or a deadlock it is run again, as `transaction` does.
 * @throws DatabaseUnavailable see there
 */
export function statement<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  return untilNoConflict(() => onConnection(pool, async (tx) => (await tx.query<Row>(text, values)).rows));
}

async function untilNoConflict<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (attempt === 6) throw new DatabaseUnavailable('The transaction met a conflict 6 times', { cause: error });
      // Random, or the two that met would meet again.
      await delay(Math.random() * 10 * 2 ** attempt);
    }
  }
}

async function onConnection<Result>(pool: pg.Pool, work: (tx: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const tx = await pool.connect().catch((cause: unknown) => {
    throw new DatabaseUnavailable('No connection to the database', { cause });
  });
  let lost: Error | undefined;
  const onLost = (error: Error) => {
    lost = error;
  };
  // The pool listens only to idle connections; one that breaks between two queries would end this process.
  tx.on('error', onLost);
  try {
    return await work(tx);
  } catch (error) {
    // No answer in time: the statement, COMMIT among them, may still be under way, and this connection with it.
    if (isUnanswered(error)) lost = error as Error;
    else await tx.query('ROLLBACK').catch(onLost);
    if (lost || isPassing(error)) {
      throw new DatabaseUnavailable('The connection to the database was lost, or its server is busy', { cause: error });
    }
    throw error;
  } finally {
    tx.off('error', onLost);
    tx.release(lost);
  }
}

/** What pg throws when `query_timeout` has passed; it has neither a class nor a code of its own. */
const isUnanswered = (error: unknown): boolean =>
  error instanceof Error && !(error instanceof pg.DatabaseError) && error.message === 'Query read timeout';

const isConflict = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '40P01');

/** SQLSTATE classes: 08 connection, 53 resources, 55 lock not available, 57 operator intervention, 58 system, 25P03 idle too long. */
const isPassing = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && (/^(08|53|55|57|58)/.test(error.code ?? '') || error.code === '25P03');
