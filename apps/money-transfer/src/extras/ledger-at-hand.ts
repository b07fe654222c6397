import { joinStack, type Stack } from '@repo/dev-stack';
import { createLedger, type Ledger } from '@repo/ledger';
import { createPool, DatabaseUnavailable } from '@repo/operations';
import { OperatorError, readConfig } from '@repo/worker-kit';
import pg from 'pg';
import { servicesConfig } from '../services.ts';
import { provisionLedger } from './local-ledger.ts';

/** Where the ledger is: DATABASE_URL as it stands; without it, a database in the stack's PostgreSQL, made if need be. */
export async function ledgerUrl(stack: Stack): Promise<string> {
  const { DATABASE_URL } = process.env;
  return DATABASE_URL || provisionLedger(stack.postgres?.url ?? '', (name) => stack.secret(name));
}

/**
 * Runs a command that needs the ledger and no Temporal: the one of DATABASE_URL, or else that of this clone's stack, which
 * runs at least as long as the command does.
 * @throws OperatorError for what the person at the keyboard can mend
 */
export async function withLedger<Result>(command: (ledger: Ledger) => Promise<Result>): Promise<Result> {
  const { DATABASE_URL } = process.env;
  if (DATABASE_URL) return use(DATABASE_URL, command);
  const stack = await joinStack({ need: ['postgres'] });
  try {
    return await use(await ledgerUrl(stack), command);
  } finally {
    await stack.leave();
  }
}

async function use<Result>(url: string, command: (ledger: Ledger) => Promise<Result>): Promise<Result> {
  const { DATABASE_URL } = readConfig(servicesConfig, { ...process.env, DATABASE_URL: url });
  const pool = createPool({ connectionString: DATABASE_URL, max: 4 });
  try {
    return await command(createLedger(pool));
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
export async function requireReady(ledger: Ledger): Promise<void> {
  await ledger.accounts({ limit: 1 }).catch((error: unknown) => {
    throw explained(error);
  });
}

/** What an operator can mend, with the next step; anything else as it is. */
function explained(error: unknown): unknown {
  const isUnavailable = error instanceof DatabaseUnavailable;
  const cause = isUnavailable ? error.cause : error;
  const code = cause instanceof pg.DatabaseError ? (cause.code ?? '') : '';
  const operator = (message: string, nextStep: string) => new OperatorError(message, nextStep, { cause: error });
  if (noLedger.has(code)) return operator('There is no ledger in that database.', `Run: ${migrateCommand}`);
  const why = cause instanceof Error && cause.message ? ` (${cause.message})` : '';
  if (code.startsWith(notAuthorised)) {
    return operator(
      `PostgreSQL refuses${why}.`,
      `Check DATABASE_URL. If its role is not there yet, run: ${migrateCommand}`,
    );
  }
  if (!isUnavailable) return error;
  const nextStep = 'Start it, or say with DATABASE_URL where it is; then run this again.';
  return operator(`PostgreSQL does not answer${why}.`, nextStep);
}

const migrateCommand = 'POSTGRES_ADMIN_URL=… pnpm --filter money-transfer migrate';

/** SQLSTATE: a table, a function, a schema or the database itself is not there. */
const noLedger = new Set(['42P01', '42883', '3F000', '3D000']);
/** The class of SQLSTATE for an unknown role or a wrong password. */
const notAuthorised = '28';
