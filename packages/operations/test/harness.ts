import type { Pool, PoolClient } from 'pg';
import { inject } from 'vitest';
import { createPool, operationsTable } from '../src/index.ts';

/** A schema of its own with the operations table, and a table in which every effect and every undo leaves a row. */
export async function createSchema(schema: string): Promise<void> {
  const admin = createPool({ connectionString: inject('databaseUrl'), max: 1 });
  await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}; SET search_path TO ${schema};
    ${operationsTable} CREATE TABLE effects (key text NOT NULL, amount integer NOT NULL)`);
  await admin.end();
}

export function poolOn(schema: string, url = inject('databaseUrl')): Pool {
  return createPool({ connectionString: url, max: 20, options: `-c search_path=${schema} -c deadlock_timeout=50ms` });
}

/** An effect that can be counted. */
export const effect = (key: string, amount = 1) => {
  return async (tx: PoolClient) => {
    await tx.query('INSERT INTO effects (key, amount) VALUES ($1, $2)', [key, amount]);
    return { amount };
  };
};

/** The undo of `effect`. */
export const undo = (key: string) => {
  return async (tx: PoolClient, outcome: { amount: number }) => {
    await tx.query('INSERT INTO effects (key, amount) VALUES ($1, $2)', [key, -outcome.amount]);
  };
};

/** What the store holds for a key: its status, every amount ever booked, and whether a request and an outcome are kept. */
export async function stored(pool: Pool, key: string) {
  const { rows: operations } = await pool.query('SELECT status, outcome FROM operations WHERE key = $1', [key]);
  const { rows: effects } = await pool.query('SELECT amount FROM effects WHERE key = $1 ORDER BY amount DESC', [key]);
  return { operations, effects: effects.map((row) => row.amount) };
}
