import { fileURLToPath } from 'node:url';
import { provisionDatabase } from '@repo/dev-stack';

/** The app's own database, as this repository brings it along. */

/** Tables of the records, for `provisionFor` and `provisionDatabase`. */
export const recordsSchema = {
  schema: 'release_orchestrator',
  migrations: fileURLToPath(new URL('../../migrations', import.meta.url)),
};

const role = 'release_orchestrator_app';

/**
 * Makes sure that there are records, and a role that may read and write their rows and nothing else.
 * @param database `release_orchestrator`, unless a test or a demo has one of its own
 * @returns the URL for `DATABASE_URL`
 */
export async function provisionRecords(
  adminUrl: string,
  secret: (name: string) => Promise<string>,
  database = 'release_orchestrator',
): Promise<string> {
  const password = await secret(`release_orchestrator.${role}`);
  const urls = await provisionDatabase({ adminUrl, database, schemas: [{ ...recordsSchema, role, password }] });
  return urls[role] ?? '';
}
