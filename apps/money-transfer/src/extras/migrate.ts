import { provisionDatabase } from '@repo/dev-stack';
import { ledgerMigrations } from '@repo/ledger';
import { OperatorError } from '@repo/worker-kit';
import { requireReady, withLedger } from './ledger-at-hand.ts';

/**
 * The ledger's tables and functions; safe to repeat. For a DATABASE_URL of your own, POSTGRES_ADMIN_URL names somebody on
 * the same server who may create its database and its role; without it, the ledger must be there.
 */
export async function migrate(): Promise<void> {
  const { DATABASE_URL, POSTGRES_ADMIN_URL } = process.env;
  if (DATABASE_URL && POSTGRES_ADMIN_URL) await provisionAs(DATABASE_URL, POSTGRES_ADMIN_URL);
  await withLedger(requireReady);
}

/** The database and the role that a URL names, made by somebody who may. */
async function provisionAs(url: string, adminUrl: string): Promise<void> {
  if (!URL.canParse(url) || !URL.canParse(adminUrl) || new URL(url).host !== new URL(adminUrl).host) {
    throw new OperatorError(
      'DATABASE_URL and POSTGRES_ADMIN_URL do not name the same PostgreSQL.',
      'Both look like postgres://user:password@host:5432/name; user, password and name differ, host and port do not.',
    );
  }
  const { username, password, pathname } = new URL(url);
  const [role = '', secret = '', database = ''] = [username, password, pathname.slice(1)].map(decodeURIComponent);
  const schemas = [{ schema: 'ledger', migrations: ledgerMigrations, role, password: secret }];
  await provisionDatabase({ adminUrl, database, schemas });
}
