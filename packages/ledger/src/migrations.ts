import { fileURLToPath } from 'node:url';

/**
 * The folder with the ledger's tables and functions: `migrations` of a schema for `provisionDatabase`, or for node-pg-migrate.
 * Run as the owner, in a schema of the ledger's own. Every role that had rights on its tables then may read them and
 * call the functions.
 */
export const ledgerMigrations = fileURLToPath(new URL('./migrations', import.meta.url));
