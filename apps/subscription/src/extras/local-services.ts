import { fileURLToPath } from 'node:url';
import { provisionDatabase } from '@repo/dev-stack';
import { createLedger, ledgerMigrations } from '@repo/ledger';
import { currencies } from '@repo/ledger/money';
import { notificationsMigrations } from '@repo/notifications';
import { createPool } from '@repo/operations';

/** The databases as this repository brings them along; elsewhere the ledger belongs to a bank. */

export interface DatabaseUrls {
  DATABASE_URL: string;
  MAIL_DATABASE_URL: string;
  LEDGER_URL: string;
}

/** Where the customers' table comes from. */
export const customersMigrations = fileURLToPath(new URL('../../migrations', import.meta.url));

/**
 * Makes sure that there are customers, sent mails and a ledger, each in a schema and with a role of its own, and an account of
 * the merchant's in each currency.
 * @param database `subscription`, unless a test has one of its own
 * @returns the URLs with which the app reaches them
 */
export async function provisionServices(
  adminUrl: string,
  secret: (name: string) => Promise<string>,
  { database = 'subscription', merchant = 'merchant' } = {},
): Promise<DatabaseUrls> {
  const own = { schema: 'subscription', role: 'subscription_app', migrations: customersMigrations };
  const mail = { schema: 'mail', role: 'subscription_mail', migrations: notificationsMigrations };
  const bank = { schema: 'ledger', role: 'subscription_ledger', migrations: ledgerMigrations };
  const schemas = await Promise.all(
    [own, mail, bank].map(async (spec) => ({ ...spec, password: await secret(`subscription.${spec.role}`) })),
  );
  const urls = await provisionDatabase({ adminUrl, database, schemas });
  const LEDGER_URL = urls[bank.role] ?? '';
  await openMerchant(LEDGER_URL, merchant);
  return { DATABASE_URL: urls[own.role] ?? '', MAIL_DATABASE_URL: urls[mail.role] ?? '', LEDGER_URL };
}

/** What the merchant has to begin with, in minor units: a credit note can come before the first charge. */
const float = 10_000_000;

/** The accounts `${merchant}-EUR` and so on; safe to repeat. @param ledgerUrl of a role that may call the ledger */
export async function openMerchant(ledgerUrl: string, merchant: string): Promise<void> {
  const pool = createPool({ connectionString: ledgerUrl, max: 4 });
  const ledger = createLedger(pool);
  const open = async (currency: string) => {
    const account = `${merchant}-${currency}`;
    const at = new Date().toISOString();
    await ledger.openAccount({ key: `open:${account}`, at, account, currency });
    await ledger.payIn({ key: `float:${account}`, at, account, amount: float, currency });
  };
  try {
    await Promise.all(Object.keys(currencies).map(open));
  } finally {
    await pool.end();
  }
}
