import { provisionFor } from '@repo/dev-stack';
import { recordsSchema } from './local-services.ts';
import { requireReady, withRecords } from './records-at-hand.ts';

/**
 * The tables of the records; safe to repeat. For a DATABASE_URL of your own, POSTGRES_ADMIN_URL names somebody on the same
 * server who may create its database and its role; without it, the tables must be there.
 */
export async function migrate(): Promise<void> {
  const { DATABASE_URL, POSTGRES_ADMIN_URL } = process.env;
  if (DATABASE_URL && POSTGRES_ADMIN_URL) await provisionFor(DATABASE_URL, POSTGRES_ADMIN_URL, recordsSchema);
  await withRecords(requireReady);
}
