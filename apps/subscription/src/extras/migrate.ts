import { provisionFor } from '@repo/dev-stack';
import { ledgerMigrations } from '@repo/ledger';
import { notificationsMigrations } from '@repo/notifications';
import { ownDatabases, requireReady, withDatabases } from './databases-at-hand.ts';
import { customersMigrations, openMerchant } from './local-services.ts';

/**
 * Tables and functions of customers, mails and ledger, and the merchant's accounts; safe to repeat. For databases of your
 * own, POSTGRES_ADMIN_URL names somebody on the same server who may create them and their roles. A ledger on another server
 * belongs to somebody else, and must be there.
 */
export async function migrate(): Promise<void> {
  const { POSTGRES_ADMIN_URL: adminUrl } = process.env;
  const own = ownDatabases();
  if (own && adminUrl) {
    await provisionFor(own.DATABASE_URL, adminUrl, { schema: 'subscription', migrations: customersMigrations });
    await provisionFor(own.MAIL_DATABASE_URL, adminUrl, { schema: 'mail', migrations: notificationsMigrations });
    if (new URL(own.LEDGER_URL).host === new URL(adminUrl).host) {
      await provisionFor(own.LEDGER_URL, adminUrl, { schema: 'ledger', migrations: ledgerMigrations });
    }
    await openMerchant(own.LEDGER_URL, own.MERCHANT);
  }
  await withDatabases(requireReady);
}
