import { databaseTrouble, joinStack, type Stack } from '@repo/dev-stack';
import { createPool, DatabaseUnavailable } from '@repo/operations';
import { readConfig, taskQueue } from '@repo/worker-kit';
import pg from 'pg';
import { defaultTaskQueue } from '../contract.ts';
import { createRecords, type Records } from '../services/records.ts';
import { servicesConfig } from '../services.ts';
import { provisionRecords } from './local-services.ts';
import { findSurroundings } from './surroundings.ts';

/**
 * Where the records are: DATABASE_URL as it stands; without it, a database in the stack's PostgreSQL, made if need be.
 * @param database for one `start` alone; without it, that of this clone
 */
export async function recordsUrl(stack: Stack, database?: string): Promise<string> {
  const { DATABASE_URL } = process.env;
  return DATABASE_URL || provisionRecords(stack.postgres?.url ?? '', (name) => stack.secret(name), database);
}

/** Afterwards there is no such database, and nobody who owned it. Of a DATABASE_URL, nothing is ever dropped. */
export async function dropRecords(stack: Stack, database: string): Promise<void> {
  if (process.env.DATABASE_URL || !stack.postgres) return;
  const admin = new pg.Client({ connectionString: stack.postgres.url });
  await admin.connect();
  try {
    await admin.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(database)} WITH (FORCE)`);
    await admin.query(`DROP ROLE IF EXISTS ${pg.escapeIdentifier(`${database}_owner`)}`);
  } finally {
    await admin.end();
  }
}

/**
 * Runs a command that needs the records and no Temporal: those of DATABASE_URL, of the `start` that has announced itself, or
 * else of this clone's stack, which runs at least as long as the command does.
 * @throws OperatorError for what the person at the keyboard can mend
 */
export async function withRecords<Result>(command: (records: Records) => Promise<Result>): Promise<Result> {
  const url = process.env.DATABASE_URL || (await findSurroundings(taskQueue(defaultTaskQueue)))?.databaseUrl;
  if (url) return use(url, command);
  const stack = await joinStack({ need: ['postgres'] });
  try {
    return await use(await recordsUrl(stack), command);
  } finally {
    await stack.leave();
  }
}

async function use<Result>(url: string, command: (records: Records) => Promise<Result>): Promise<Result> {
  const env = { ...process.env, DATABASE_URL: url };
  const { DATABASE_URL } = readConfig(servicesConfig.pick({ DATABASE_URL: true }), env);
  const pool = createPool({ connectionString: DATABASE_URL, max: 4 });
  try {
    return await command(createRecords(pool));
  } catch (error) {
    throw explained(error);
  } finally {
    await pool.end();
  }
}

/**
 * For a worker, before it takes its first task: later, a missing table is a failure that is tried for ever.
 * @throws OperatorError that says what to do
 */
export async function requireReady(records: Records): Promise<void> {
  await records.deployments({ limit: 1 }).catch((error: unknown) => {
    throw explained(error);
  });
}

/** What an operator can mend, with the next step; anything else as it is. */
const explained = (error: unknown): unknown =>
  databaseTrouble(error, error instanceof DatabaseUnavailable, {
    missing: 'There are no records in that database.',
    variables: 'DATABASE_URL',
    migrate: 'POSTGRES_ADMIN_URL=… pnpm --filter release-orchestrator migrate',
  });
