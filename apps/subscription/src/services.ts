import { createLedger, type Ledger } from '@repo/ledger';
import { createMailer, type Mailer, smtpConfig } from '@repo/notifications';
import { createPool } from '@repo/operations';
import { z } from 'zod';
import { type Customers, createCustomers } from './services/customers.ts';

/** The outside world of this app: a bank's ledger, its own customers, and mail. */
export interface Services {
  ledger: Ledger;
  customers: Customers;
  mailer: Mailer;
  /** The account that is paid, in a currency. */
  merchant(currency: string): string;
  close(): Promise<void>;
}

const postgres = z.url({ protocol: /^postgres(ql)?$/, error: 'must be a URL of PostgreSQL' });

/** From the environment. */
export const servicesConfig = smtpConfig.extend({
  /** The customers. */
  DATABASE_URL: postgres,
  /** The mails that were sent. */
  MAIL_DATABASE_URL: postgres,
  /** The bank. */
  LEDGER_URL: postgres,
  /** The accounts that are paid are `${MERCHANT}-EUR` and so on. */
  MERCHANT: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'must be 1 to 40 letters, digits, ".", "_" and "-"')
    .default('merchant'),
});

/** @param onDatabaseLost told of connections that break while nobody uses them; the next call opens another one */
export function createServices(
  config: z.infer<typeof servicesConfig>,
  onDatabaseLost: (error: Error) => void = () => {},
): Services {
  // Together less than an activity has (5 s), so that its failure says what did not answer.
  const timeouts = { connectionTimeoutMillis: 2_000, statement_timeout: 2_200, query_timeout: 2_500 };
  const poolOf = (connectionString: string) => createPool({ connectionString, ...timeouts }, onDatabaseLost);
  const [own, mails, bank] = [config.DATABASE_URL, config.MAIL_DATABASE_URL, config.LEDGER_URL].map(poolOf) as [
    ReturnType<typeof poolOf>,
    ReturnType<typeof poolOf>,
    ReturnType<typeof poolOf>,
  ];
  return {
    ledger: createLedger(bank),
    customers: createCustomers(own),
    mailer: createMailer({ pool: mails, smtpUrl: config.SMTP_URL, from: config.MAIL_FROM }),
    merchant: (currency) => `${config.MERCHANT}-${currency}`,
    close: async () => {
      await Promise.all([own.end(), mails.end(), bank.end()]);
    },
  };
}
