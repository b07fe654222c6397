import { fileURLToPath } from 'node:url';
import { joinStack, provisionDatabase, type Stack } from '@repo/dev-stack';
import { DatabaseUnavailable } from '@repo/operations';
import { PermissionsError, permissionsFailureTypes } from '@repo/permissions';
import { OperatorError, readConfig } from '@repo/worker-kit';
import pg from 'pg';
import type { z } from 'zod';
import { createServices, type Services, servicesConfig } from '../services.ts';
import { Records } from './reconcile-stores.ts';

/** The two stores as this repository brings them along, or as the environment names them. */

export type StoresConfig = z.infer<typeof servicesConfig>;

const migrateCommand = 'pnpm --filter spicedb-writes migrate';

const migrations = fileURLToPath(new URL('../../migrations', import.meta.url));

/** The schema of the tables, in whichever database. */
export const tables = { schema: 'posts', migrations };

/**
 * What the app needs to know of its stores. DATABASE_URL is used as it is; without it, the stack's PostgreSQL gets a
 * database with these tables, and a role that may read and write their rows and nothing else.
 */
export async function storesOf(stack: Stack): Promise<{ DATABASE_URL: string } & Record<string, string>> {
  const { endpoint = '', token = '' } = stack.spicedb ?? {};
  const spicedb = { SPICEDB_ENDPOINT: endpoint, SPICEDB_TOKEN: token };
  const { DATABASE_URL } = process.env;
  if (DATABASE_URL) return { DATABASE_URL, ...spicedb };
  const urls = await provisionDatabase({
    adminUrl: stack.postgres?.url ?? '',
    database: 'spicedb_writes',
    schemas: [{ ...tables, role: 'posts_app', password: await stack.secret('spicedb_writes.posts') }],
  });
  return { DATABASE_URL: urls.posts_app ?? '', ...spicedb };
}

/**
 * Runs a command that needs both stores and no Temporal: those of DATABASE_URL and SPICEDB_ENDPOINT, or else the ones of
 * this clone's stack, which run at least as long as the command does.
 * @throws OperatorError for what the person at the keyboard can mend
 */
export async function withStores<Result>(
  command: (services: Services, config: StoresConfig) => Promise<Result>,
): Promise<Result> {
  const { DATABASE_URL, SPICEDB_ENDPOINT } = process.env;
  if (DATABASE_URL && SPICEDB_ENDPOINT) return use(readConfig(servicesConfig), command);
  const stack = await joinStack({ need: ['postgres', 'spicedb'] });
  try {
    return await use(readConfig(servicesConfig, { ...process.env, ...(await storesOf(stack)) }), command);
  } finally {
    await stack.leave();
  }
}

/** The same, for what reads both stores as the reconciler does. */
export const withRecords = <Result>(
  command: (services: Services, records: Records) => Promise<Result>,
): Promise<Result> =>
  withStores(async (services, { DATABASE_URL }) => {
    const records = new Records(DATABASE_URL);
    return command(services, records).finally(() => records.close());
  });

async function use<Result>(
  config: StoresConfig,
  command: (services: Services, config: StoresConfig) => Promise<Result>,
): Promise<Result> {
  const services = openServices(config);
  try {
    return await command(services, config);
  } catch (error) {
    throw explained(error);
  } finally {
    await services.close();
  }
}

/**
 * The app's services.
 * @throws OperatorError for a variable of the environment that cannot be used, such as the path of a file that is not there
 */
export function openServices(config: StoresConfig): Services {
  try {
    return createServices(config);
  } catch (error) {
    if (!(error instanceof PermissionsError)) throw error;
    throw new OperatorError(`${error.message}.`, 'Set that variable, or leave it out; then run this again.', {
      cause: error,
    });
  }
}

/**
 * For a worker, before it takes its first task: later, a wrong key or a missing table is a failure that is tried for ever.
 * @throws OperatorError that says what to do
 */
export async function requireReady({ posts, permissions }: Pick<Services, 'posts' | 'permissions'>): Promise<void> {
  try {
    await posts.look('no-post');
    const filter = { resourceType: 'post', resourceId: 'no-post', relation: 'fence' };
    for await (const _ of permissions.relationships({ filter, consistency: 'full' }));
  } catch (error) {
    throw explained(error);
  }
}

/** What an operator can mend, with the next step; anything else as it is. */
function explained(error: unknown): unknown {
  if (error instanceof PermissionsError) {
    const nextStep = nextSteps[error.type];
    return nextStep === undefined ? error : new OperatorError(error.message, nextStep, { cause: error });
  }
  if (error instanceof DatabaseUnavailable) {
    const why = error.cause instanceof Error ? ` (${error.cause.message})` : '';
    return new OperatorError(
      `PostgreSQL does not answer${why}.`,
      'Start it, or say with DATABASE_URL where it is; then run this again.',
      { cause: error },
    );
  }
  if (error instanceof pg.DatabaseError && error.code === noSuchTable) {
    return new OperatorError('PostgreSQL has no tables of this app yet.', `Run: ${migrateCommand}`, { cause: error });
  }
  return error;
}

const noSuchTable = '42P01';

const nextSteps: Partial<Record<string, string>> = {
  [permissionsFailureTypes.unauthenticated]: 'Set SPICEDB_TOKEN to the preshared key of that SpiceDB.',
  [permissionsFailureTypes.unavailable]:
    'Start it, or say with SPICEDB_ENDPOINT (and SPICEDB_TLS) where it is; then run this again.',
  [permissionsFailureTypes.schemaMissing]: `Run: ${migrateCommand}`,
};
