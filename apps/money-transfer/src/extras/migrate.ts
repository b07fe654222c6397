import { provisionFor } from '@repo/dev-stack';
import { ledgerMigrations } from '@repo/ledger';
import { requireReady, withLedger } from './ledger-at-hand.ts';

/**
 * The ledger's tables and functions; safe to repeat. For a DATABASE_URL of your own, POSTGRES_ADMIN_URL names somebody on
 * the same server who may create its database and its role; without it, the ledger must be there.
 */
export async function migrate(): Promise<void> {
  const { DATABASE_URL, POSTGRES_ADMIN_URL } = process.env;
  const tables = { schema: 'ledger', migrations: ledgerMigrations };
  if (DATABASE_URL && POSTGRES_ADMIN_URL) await provisionFor(DATABASE_URL, POSTGRES_ADMIN_URL, tables);
  await withLedger(requireReady);
}
