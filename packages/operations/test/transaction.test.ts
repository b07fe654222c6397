import { createCutter } from '@repo/testing/cutter';
import type { Pool, PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createPool, DatabaseUnavailable, performOnce, transaction } from '../src/index.ts';
import { createSchema, effect, poolOn, stored } from './harness.ts';

let pool: Pool;

beforeAll(async () => {
  await createSchema('transaction_test');
  pool = poolOn('transaction_test');
});
afterAll(() => pool.end());

const request = {};

describe('conflicts', () => {
  it('runs a deadlocked transaction again', async () => {
    await pool.query(`INSERT INTO effects VALUES ('left', 0), ('right', 0)`);
    let runs = 0;
    let arrivals = 0;
    let bothHoldOne = () => {};
    const barrier = new Promise<void>((resolve) => {
      bothHoldOne = resolve;
    });
    const touch = (first: string, second: string) => async (tx: PoolClient) => {
      runs++;
      await tx.query('UPDATE effects SET amount = amount + 1 WHERE key = $1', [first]);
      if (++arrivals === 2) bothHoldOne();
      await barrier;
      await tx.query('UPDATE effects SET amount = amount + 1 WHERE key = $1', [second]);
    };
    const results = await Promise.all([
      performOnce(pool, { key: 'left first', request }, touch('left', 'right')),
      performOnce(pool, { key: 'right first', request }, touch('right', 'left')),
    ]);
    expect(results).toMatchObject([{ status: 'done' }, { status: 'done' }]);
    // One of the two is run again; on a busy machine the two may meet again.
    expect(runs).toBeGreaterThanOrEqual(3);
    expect([(await stored(pool, 'left')).effects, (await stored(pool, 'right')).effects]).toEqual([[2], [2]]);
  });

  const conflict = `DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END $$`;

  it('runs again after a serialisation failure, and gives up after 6 times with nothing stored', async () => {
    let runs = 0;
    const failing = (times: number) => async (tx: PoolClient) => {
      const made = await effect('serialisation')(tx);
      if (++runs <= times) await tx.query(conflict);
      return made;
    };
    const hopeless = performOnce(pool, { key: 'serialisation', request }, failing(Number.POSITIVE_INFINITY));
    await expect(hopeless).rejects.toMatchObject({ name: 'DatabaseUnavailable', cause: { code: '40001' } });
    expect(runs).toBe(6);
    expect(await stored(pool, 'serialisation')).toEqual({ operations: [], effects: [] });
    runs = 0;
    const lucky = await performOnce(pool, { key: 'serialisation', request }, failing(2));
    expect(lucky).toMatchObject({ status: 'done', replayed: false });
    expect(await stored(pool, 'serialisation')).toMatchObject({ operations: [{ status: 'done' }], effects: [1] });
  });
});

describe('a connection that breaks', () => {
  it.each([
    { when: 'after', replayed: true },
    { when: 'before', replayed: false },
  ] as const)('$when COMMIT: calling again gives the outcome, and there is one effect', async ({ when, replayed }) => {
    const cutter = await createCutter(inject('databaseUrl'));
    const throughCutter = poolOn('transaction_test', cutter.url);
    const key = `cut ${when}`;
    const call = () => performOnce(throughCutter, { key, request }, effect(key));
    try {
      cutter.cutNext('COMMIT\0', when);
      await expect(call()).rejects.toBeInstanceOf(DatabaseUnavailable);
      expect(await call()).toEqual({ status: 'done', outcome: { amount: 1 }, replayed });
      expect((await stored(pool, key)).effects).toEqual([1]);
    } finally {
      await throughCutter.end();
      cutter.close();
    }
  });

  it('between two statements: the process lives, nothing is stored, the pool goes on', async () => {
    const broken = performOnce(pool, { key: 'terminated', request }, async (tx) => {
      await effect('terminated')(tx);
      const { rows } = await tx.query('SELECT pg_backend_pid() AS pid');
      const lost = new Promise((resolve) => tx.once('error', resolve));
      await pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
      await lost;
    });
    await expect(broken).rejects.toBeInstanceOf(DatabaseUnavailable);
    expect(await stored(pool, 'terminated')).toEqual({ operations: [], effects: [] });
    expect(await performOnce(pool, { key: 'terminated', request }, effect('terminated'))).toMatchObject({
      status: 'done',
    });
  });

  it('while idle: reported to the listener, and the next call connects anew', async () => {
    const errors: Error[] = [];
    const { options, connectionString } = pool.options;
    const idle = createPool({ options, connectionString }, (error) => errors.push(error));
    const { rows } = await idle.query('SELECT pg_backend_pid() AS pid');
    await pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    await expect.poll(() => errors).toMatchObject([{ code: '57P01' }]);
    expect(await transaction(idle, (tx) => effect('idle')(tx))).toEqual({ amount: 1 });
    await idle.end();
  });

  it('before it is there: DatabaseUnavailable with the cause', async () => {
    const nowhere = createPool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
    const call = performOnce(nowhere, { key: 'nowhere', request }, effect('nowhere'));
    await expect(call).rejects.toMatchObject({ name: 'DatabaseUnavailable', cause: { code: 'ECONNREFUSED' } });
    await nowhere.end();
  });
});

it('does not report success for a transaction that PostgreSQL rolled back', async () => {
  const swallowed = transaction(pool, async (tx) => {
    await effect('swallowed')(tx);
    await tx.query('SELECT 1 / 0').catch(() => {});
  });
  await expect(swallowed).rejects.toThrow('a statement failed and its error was not thrown on');
  expect((await stored(pool, 'swallowed')).effects).toEqual([]);
});

it('loses its locks when its owner has stopped', async () => {
  const { options, connectionString } = pool.options;
  const short = createPool({ options, connectionString, idle_in_transaction_session_timeout: 500 });
  let holdsLock = () => {};
  const locked = new Promise<void>((resolve) => {
    holdsLock = resolve;
  });
  const stopped = performOnce(short, { key: 'stopped', request }, async (tx) => {
    await effect('stopped', 99)(tx);
    holdsLock();
    await new Promise((resolve) => tx.once('error', resolve));
    return effect('stopped', 99)(tx);
  });
  const rejected = expect(stopped).rejects.toBeInstanceOf(DatabaseUnavailable);
  await Promise.race([locked, stopped]);
  expect(await performOnce(pool, { key: 'stopped', request }, effect('stopped'))).toMatchObject({ status: 'done' });
  await rejected;
  expect((await stored(pool, 'stopped')).effects).toEqual([1]);
  await short.end();
});

it('does not know what became of a statement that was not answered in time', async () => {
  const { options, connectionString } = pool.options;
  const impatient = createPool({ options, connectionString, query_timeout: 300, max: 1 });
  const slow = performOnce(impatient, { key: 'slow', request }, async (tx) => {
    await tx.query('SELECT pg_sleep(0.45)');
    return effect('slow')(tx);
  });
  await expect(slow).rejects.toBeInstanceOf(DatabaseUnavailable);
  // And its connection, on which the answer may still come, is not used again.
  expect(await performOnce(impatient, { key: 'next', request }, effect('next'))).toMatchObject({ status: 'done' });
  await impatient.end();
});
