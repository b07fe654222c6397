import { joinStack, type Stack } from '@repo/dev-stack';
import { createLedger, type Ledger } from '@repo/ledger';
import { createPool, DatabaseUnavailable } from '@repo/operations';
import { OperatorError, readConfig } from '@repo/worker-kit';
import pg from 'pg';
import { type Customers, createCustomers } from '../services/customers.ts';
import { servicesConfig } from '../services.ts';
import { type DatabaseUrls, provisionServices } from './local-services.ts';

/** What the commands need of the world: no mail server. */
export interface Databases {
  ledger: Ledger;
  customers: Customers;
  /** The account that is paid, in a currency. */
  merchant(currency: string): string;
}

const databaseConfig = servicesConfig.pick({
  ...{ DATABASE_URL: true, MAIL_DATABASE_URL: true, LEDGER_URL: true, MERCHANT: true },
});

/** The databases of one's own, if one of them is named. @throws OperatorError if one of the others is not */
export function ownDatabases(): (DatabaseUrls & { MERCHANT: string }) | undefined {
  const { DATABASE_URL, MAIL_DATABASE_URL, LEDGER_URL } = process.env;
  return DATABASE_URL || MAIL_DATABASE_URL || LEDGER_URL ? readConfig(databaseConfig) : undefined;
}

/** Where customers, mails and ledger are: as the environment says; else in the stack's PostgreSQL, made if need be. */
export async function databaseUrls(stack: Stack): Promise<DatabaseUrls> {
  const own = ownDatabases();
  if (own) return own;
  const { MERCHANT: merchant } = process.env;
  const secret = (name: string) => stack.secret(name);
  return provisionServices(stack.postgres?.url ?? '', secret, merchant ? { merchant } : {});
}

/**
 * Runs a command that needs customers and ledger: those that the environment names, or else those of this clone's stack,
 * which runs at least as long as the command does.
 * @throws OperatorError for what the person at the keyboard can mend
 */
export async function withDatabases<Result>(command: (databases: Databases) => Promise<Result>): Promise<Result> {
  const own = ownDatabases();
  if (own) return use(own, command);
  const stack = await joinStack({ need: ['postgres'] });
  try {
    return await use(await databaseUrls(stack), command);
  } finally {
    await stack.leave();
  }
}

async function use<Result>(urls: DatabaseUrls, command: (databases: Databases) => Promise<Result>): Promise<Result> {
  const { DATABASE_URL, LEDGER_URL, MERCHANT } = readConfig(databaseConfig, { ...process.env, ...urls });
  const [own, bank] = [DATABASE_URL, LEDGER_URL].map((connectionString) => createPool({ connectionString, max: 4 }));
  if (!own || !bank) throw new Error('two databases make two pools');
  try {
    const merchant = (currency: string) => `${MERCHANT}-${currency}`;
    return await command({ ledger: createLedger(bank), customers: createCustomers(own), merchant });
  } catch (error) {
    throw explained(error);
  } finally {
    await Promise.all([own.end(), bank.end()]);
  }
}

/**
 * For a worker, before it takes its first task: later, a missing table is a failure that is tried for ever.
 * @throws OperatorError that says what to do
 */
export async function requireReady({ ledger, customers }: Pick<Databases, 'ledger' | 'customers'>): Promise<void> {
  await Promise.all([ledger.accounts({ limit: 1 }), customers.list({ limit: 1 })]).catch((error: unknown) => {
    throw explained(error);
  });
}

/** What an operator can mend, with the next step; anything else as it is. */
function explained(error: unknown): unknown {
  const isUnavailable = error instanceof DatabaseUnavailable;
  const cause = isUnavailable ? error.cause : error;
  const code = cause instanceof pg.DatabaseError ? (cause.code ?? '') : '';
  const operator = (message: string, nextStep: string) => new OperatorError(message, nextStep, { cause: error });
  if (noTables.has(code)) return operator('A database has no tables of this app.', `Run: ${migrateCommand}`);
  const why = cause instanceof Error && cause.message ? ` (${cause.message})` : '';
  if (code.startsWith(notAuthorised)) {
    const variables = 'DATABASE_URL, MAIL_DATABASE_URL and LEDGER_URL';
    return operator(
      `PostgreSQL refuses${why}.`,
      `Check ${variables}. If a role is not there yet, run: ${migrateCommand}`,
    );
  }
  if (!isUnavailable) return error;
  const nextStep =
    'Start it, or say with DATABASE_URL, MAIL_DATABASE_URL and LEDGER_URL where it is; then run this again.';
  return operator(`PostgreSQL does not answer${why}.`, nextStep);
}

const migrateCommand = 'POSTGRES_ADMIN_URL=… pnpm --filter subscription migrate';

/** SQLSTATE: a table, a function, a schema or the database itself is not there. */
const noTables = new Set(['42P01', '42883', '3F000', '3D000']);
/** The class of SQLSTATE for an unknown role or a wrong password. */
const notAuthorised = '28';
