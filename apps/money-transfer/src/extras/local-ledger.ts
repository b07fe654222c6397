import { provisionDatabase } from '@repo/dev-stack';
import { ledgerMigrations } from '@repo/ledger';

/** The ledger as this repository brings it along, in a database of this app's own; elsewhere it belongs to a bank. */

const role = 'money_transfer_app';

/**
 * Makes sure that there is a ledger, and a role that may call it and nothing else.
 * @param database `money_transfer`, unless a test has one of its own
 * @returns the URL for `DATABASE_URL`, with which the app reaches it
 */
export async function provisionLedger(
  adminUrl: string,
  secret: (name: string) => Promise<string>,
  database = 'money_transfer',
): Promise<string> {
  const password = await secret(`money_transfer.${role}`);
  const schemas = [{ schema: 'ledger', role, password, migrations: ledgerMigrations }];
  const urls = await provisionDatabase({ adminUrl, database, schemas });
  return urls[role] ?? '';
}
