import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provisionDatabase } from '@repo/dev-stack';
import { createPool } from '@repo/operations';
import type { Pool } from 'pg';
import { expect, inject, vi } from 'vitest';
import { type Delivery, type Inbox, readInbox, startInbox } from '../src/inbox.ts';
import { createMailer, type Mailer, type MailRequest, notificationsMigrations } from '../src/index.ts';

export interface Office {
  mailer: Mailer;
  inbox: Inbox;
  folder: string;
  /** Connected as the application is. */
  pool: Pool;
  url: string;
  /** A mailer that differs from the usual one. */
  mailerWith: (change: { pool?: Pool; smtpUrl?: string; timeoutMs?: number }) => Mailer;
  /** What was delivered to an address, oldest first. */
  delivered: (to: string) => Promise<Delivery[]>;
  /** What is recorded of a key. */
  recorded: (key: string) => Promise<string[]>;
  close: () => Promise<void>;
}

const sender = 'Example Shop <billing@shop.example>';

/** A database with the table of mails, provisioned as an app does it, and a mail server. */
export async function openOffice(database: string): Promise<Office> {
  const adminUrl = inject('databaseUrl');
  const role = `${database}_app`;
  const schemas = [{ schema: 'notifications', role, password: randomUUID(), migrations: notificationsMigrations }];
  const url = (await provisionDatabase({ adminUrl, database, schemas }))[role] ?? '';
  const pool = createPool({ connectionString: url, max: 30 });
  const folder = join(mkdtempSync(join(tmpdir(), 'notifications-')), 'inbox');
  const inbox = await startInbox({ folder });
  const mailerWith: Office['mailerWith'] = (change) =>
    createMailer({ pool, smtpUrl: inbox.url, from: sender, timeoutMs: 20_000, ...change });
  return {
    mailer: mailerWith({}),
    inbox,
    folder,
    pool,
    url,
    mailerWith,
    delivered: async (address) => (await readInbox(folder)).filter(({ to }) => to === address),
    recorded: async (key) =>
      (await pool.query('SELECT status FROM mails WHERE key = $1', [key])).rows.map(({ status }) => status),
    close: async () => {
      await Promise.all([pool.end(), inbox.close()]);
      rmSync(join(folder, '..'), { recursive: true });
    },
  };
}

let count = 0;
/** Mail of its own for a test. Business time: nothing depends on when a test runs. */
export function fresh(change: Partial<MailRequest> = {}): MailRequest {
  const name = `customer-${++count}`;
  return {
    key: `subscription:${name}:welcome`,
    at: '2027-03-20T09:30:00.000Z',
    to: `${name}@example.com`,
    subject: 'Welcome',
    text: 'Your trial ends in May.',
    html: '<p>Your trial ends in <b>May</b>.</p>',
    ...change,
  };
}

/** What a call failed with; fails if it did not. */
export async function failureOf(call: Promise<unknown>): Promise<Error & { type?: string; details?: unknown }> {
  return call.then(
    (answer) => expect.fail(`it did not fail: ${JSON.stringify(answer)}`),
    (error: Error) => error,
  );
}

/** Waits until a condition holds. */
export const until = (condition: () => unknown): Promise<void> =>
  vi.waitFor(async () => expect(await condition()).toBeTruthy(), { timeout: 20_000, interval: 20 });
