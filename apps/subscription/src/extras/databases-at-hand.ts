import { databaseTrouble, joinStack, type Stack } from '@repo/dev-stack';
import { createLedger, type Ledger } from '@repo/ledger';
import { createPool, DatabaseUnavailable } from '@repo/operations';
import { readConfig } from '@repo/worker-kit';
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
const explained = (error: unknown): unknown =>
  databaseTrouble(error, error instanceof DatabaseUnavailable, {
    missing: 'A database has no tables of this app.',
    variables: 'DATABASE_URL, MAIL_DATABASE_URL and LEDGER_URL',
    migrate: 'POSTGRES_ADMIN_URL=… pnpm --filter subscription migrate',
  });
