import { createCutter } from '@repo/testing/cutter';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { statement } from '../src/index.ts';
import { createSchema, poolOn } from './harness.ts';

let pool: Pool;

/** Fails with a serialisation failure as often as it is told to; a sequence remembers how often it ran. */
const failing = `CREATE SEQUENCE runs; CREATE FUNCTION fail(times integer) RETURNS bigint LANGUAGE plpgsql AS $$
  DECLARE run bigint := nextval('runs');
  BEGIN
    IF run <= times THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF;
    INSERT INTO effects (key, amount) VALUES ('statement', run);
    RETURN run;
  END $$`;

beforeAll(async () => {
  await createSchema('statement_test');
  pool = poolOn('statement_test');
  await pool.query(failing);
});
afterAll(() => pool.end());

describe('a statement', () => {
  it('is run again after a conflict, and given up after 6 times with nothing written', async () => {
    expect(await statement(pool, 'SELECT fail($1) AS run', [2])).toEqual([{ run: '3' }]);
    await pool.query(`ALTER SEQUENCE runs RESTART; DELETE FROM effects`);
    const hopeless = statement(pool, 'SELECT fail($1) AS run', [100]);
    await expect(hopeless).rejects.toMatchObject({ name: 'DatabaseUnavailable', cause: { code: '40001' } });
    expect(await statement(pool, `SELECT last_value FROM runs`)).toEqual([{ last_value: '6' }]);
    expect(await statement(pool, 'SELECT * FROM effects')).toEqual([]);
  });

  it('that is wrong says so, and leaves its connection usable', async () => {
    await expect(statement(pool, 'SELECT * FROM nowhere')).rejects.toMatchObject({ code: '42P01' });
    expect(await statement(pool, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('without a connection, or with one that is lost, has no answer', async () => {
    const cutter = await createCutter(inject('databaseUrl'));
    const through = poolOn('statement_test', cutter.url);
    try {
      cutter.cutNext('COMMIT\0', 'before');
      // The word is all that the cutter looks for.
      const lost = statement(through, `INSERT INTO effects (key, amount) VALUES ('COMMIT', 1); COMMIT`);
      await expect(lost).rejects.toMatchObject({ name: 'DatabaseUnavailable' });
      cutter.close();
      await expect(statement(through, 'SELECT 1')).rejects.toMatchObject({ name: 'DatabaseUnavailable' });
      expect(await statement(pool, `SELECT * FROM effects WHERE key = 'COMMIT'`)).toEqual([]);
    } finally {
      cutter.close();
      await through.end();
    }
  });
});
