import { OperatorError } from '../operator-error.ts';
import { answers } from './ports.ts';
import type { Addresses } from './protocol.ts';
import type { ServerName } from './server-facts.ts';
import type { SpiceDbAddress } from './spicedb.ts';
import type { TemporalAddress } from './temporal.ts';

const checks: { [Name in ServerName]?: () => Promise<Addresses> } = {
  temporal: async () => ({ temporal: await checkTemporalAddress() }),
  postgres: async () => ({ postgres: { url: await checkDatabaseUrl() } }),
  spicedb: async () => ({ spicedb: await checkSpiceDb() }),
};

/**
 * The address of a server that the environment names.
 * @throws OperatorError if it cannot be read, or if nothing answers there within 3 s
 */
export async function useExplicit(server: ServerName): Promise<Addresses> {
  const check = checks[server];
  if (!check) throw new Error(`${server} can be named by the environment, and nothing checks what is named`);
  return check();
}

async function checkTemporalAddress(): Promise<TemporalAddress> {
  const address = process.env.TEMPORAL_ADDRESS ?? '';
  await requireAnswer('TEMPORAL_ADDRESS', address.replace(/^https?:\/\//, ''), '127.0.0.1:7233');
  return { address, namespace: process.env.TEMPORAL_NAMESPACE || 'default' };
}

/** Whether the key is right is asked by whoever uses it. */
async function checkSpiceDb(): Promise<SpiceDbAddress> {
  const { SPICEDB_ENDPOINT: endpoint = '', SPICEDB_TOKEN: token } = process.env;
  if (!token)
    throw new OperatorError('SPICEDB_ENDPOINT is set, and SPICEDB_TOKEN is not.', 'Set it to the preshared key.');
  await requireAnswer('SPICEDB_ENDPOINT', endpoint, 'spicedb.example.com:443');
  return { endpoint, token };
}

async function requireAnswer(variable: string, address: string, example: string): Promise<void> {
  const found = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address);
  if (!found) {
    throw new OperatorError(`${variable} is ${JSON.stringify(address)}.`, `It must be host:port, e.g. ${example}.`);
  }
  if (!(await answers(found[1] ?? found[2] ?? '', Number(found[3]), 3000))) {
    throw new OperatorError(
      `Nothing answers at ${address} (${variable}).`,
      `Start that server, or unset ${variable} to have one started here.`,
    );
  }
}

/**
 * Checks that DATABASE_URL can be connected to.
 * @throws OperatorError that names host and port, never the password
 */
async function checkDatabaseUrl(): Promise<string> {
  const url = process.env.DATABASE_URL ?? '';
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new OperatorError(
      'DATABASE_URL is not a URL of PostgreSQL.',
      'It must be like postgres://user:password@host:5432/name.',
    );
  }
  const { hostname, port, username, pathname } = new URL(url);
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return url;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const password = decodeURIComponent(new URL(url).password);
    const why = code ?? (password ? message.replaceAll(password, '…') : message);
    throw new OperatorError(
      `DATABASE_URL cannot be used: ${username || 'default user'} at ${hostname}:${port || 5432}, database ${pathname.slice(1) || 'default'}: ${why}.`,
      'Start that database or correct DATABASE_URL, or unset it to have one started here.',
    );
  } finally {
    await client.end().catch(() => {});
  }
}
