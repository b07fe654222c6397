import { createLedger, type Ledger } from '@repo/ledger';
import { createPool } from '@repo/operations';
import { z } from 'zod';

/** The outside world of this app: a ledger in PostgreSQL. */
export interface Services {
  ledger: Ledger;
  close(): Promise<void>;
}

/** From the environment. */
export const servicesConfig = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a URL of PostgreSQL' }),
});

/** @param onDatabaseLost told of connections that break while nobody uses them; the next call opens another one */
export function createServices(
  config: z.infer<typeof servicesConfig>,
  onDatabaseLost: (error: Error) => void = () => {},
): Services {
  // Together less than an activity has (5 s), so that its failure says what did not answer.
  const timeouts = { connectionTimeoutMillis: 2_000, statement_timeout: 2_200, query_timeout: 2_500 };
  const pool = createPool({ connectionString: config.DATABASE_URL, ...timeouts }, onDatabaseLost);
  return { ledger: createLedger(pool), close: () => pool.end() };
}
