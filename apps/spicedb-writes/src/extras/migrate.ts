import { readFile } from 'node:fs/promises';
import { provisionFor } from '@repo/dev-stack';
import type { Permissions } from '@repo/permissions';
import { requireReady, tables, withStores } from './local-stores.ts';
import { mergedSchema } from './spicedb-schema.ts';

export interface Migrated {
  /** What has become of the schema in SpiceDB. */
  spicedb: 'written' | 'unchanged';
}

/**
 * Tables in PostgreSQL and schema in SpiceDB; safe to repeat. For a DATABASE_URL of your own, POSTGRES_ADMIN_URL names
 * somebody on the same server who may create its database and its role; without it, the tables must be there.
 */
export async function migrate(): Promise<Migrated> {
  const { DATABASE_URL, POSTGRES_ADMIN_URL } = process.env;
  if (DATABASE_URL && POSTGRES_ADMIN_URL) await provisionFor(DATABASE_URL, POSTGRES_ADMIN_URL, tables);
  return withStores(async (services) => {
    const spicedb = await writeSchema(services.permissions);
    await requireReady(services);
    return { spicedb };
  });
}

/** Writes this app's definitions, and keeps those of others that use the same SpiceDB. */
export async function writeSchema(permissions: Permissions): Promise<Migrated['spicedb']> {
  const ours = await readFile(new URL('../../schema.zed', import.meta.url), 'utf8');
  const there = await permissions.readSchema();
  const wanted = mergedSchema(there ?? '', ours);
  if (wanted === undefined) return 'unchanged';
  await permissions.writeSchema(wanted);
  return 'written';
}
