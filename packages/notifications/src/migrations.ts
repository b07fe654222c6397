import { fileURLToPath } from 'node:url';

/**
 * The folder with the table of mails: `migrations` of a schema for `provisionDatabase`, or for node-pg-migrate. Run as the
 * owner, in a schema of its own. Every role that had rights on the table then may read it, add to it and nothing else.
 */
export const notificationsMigrations = fileURLToPath(new URL('./migrations', import.meta.url));
