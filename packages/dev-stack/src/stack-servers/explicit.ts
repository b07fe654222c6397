import { OperatorError } from '../operator-error.ts';
import { answers } from './ports.ts';
import type { TemporalAddress } from './temporal.ts';

/**
 * Checks that something answers at TEMPORAL_ADDRESS.
 * @throws OperatorError if nothing does within 3 s
 */
export async function checkTemporalAddress(): Promise<TemporalAddress> {
  const address = process.env.TEMPORAL_ADDRESS ?? '';
  const found = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address.replace(/^https?:\/\//, ''));
  if (!found) {
    throw new OperatorError(
      `TEMPORAL_ADDRESS is ${JSON.stringify(address)}.`,
      'It must be host:port, e.g. 127.0.0.1:7233.',
    );
  }
  if (!(await answers(found[1] ?? found[2] ?? '', Number(found[3]), 3000))) {
    throw new OperatorError(
      `Nothing answers at ${address} (TEMPORAL_ADDRESS).`,
      'Start that server, or unset TEMPORAL_ADDRESS to have one started here.',
    );
  }
  return { address, namespace: process.env.TEMPORAL_NAMESPACE || 'default' };
}

/**
 * Checks that DATABASE_URL can be connected to.
 * @throws OperatorError that names host and port, never the password
 */
export async function checkDatabaseUrl(): Promise<string> {
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
