import { databaseTrouble, joinStack, type Stack } from '@repo/dev-stack';
import { createLedger, type Ledger } from '@repo/ledger';
import { createPool, DatabaseUnavailable } from '@repo/operations';
import { readConfig } from '@repo/worker-kit';
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
const explained = (error: unknown): unknown =>
  databaseTrouble(error, error instanceof DatabaseUnavailable, {
    missing: 'There is no ledger in that database.',
    variables: 'DATABASE_URL',
    migrate: 'POSTGRES_ADMIN_URL=… pnpm --filter money-transfer migrate',
  });
