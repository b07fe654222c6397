import { DatabaseUnavailable, transaction } from '@repo/operations';
import type { Pool, PoolClient } from 'pg';
import { readSender } from './address.ts';
import { smtpServer } from './config.ts';
import { NotificationError } from './errors.ts';
import { notificationFailureTypes as failureTypes } from './failure-types.ts';
import { accept, messageIdOf } from './request.ts';
import { createDelivery, type Letter } from './smtp.ts';
import type { Mailer, SentMail } from './types.ts';

export interface MailerOptions {
  /**
   * Of the application's role, whose search_path is the schema of `notificationsMigrations`. A connection is held for as long as
   * a mail takes, so its size is how many are sent at a time: one of its own keeps others from waiting for a mail server.
   */
  pool: Pool;
  /** As `SMTP_URL` in `smtpConfig`. */
  smtpUrl: string;
  /** As `MAIL_FROM` in `smtpConfig`. */
  from: string;
  /** How long one `send` may take; 4,000 by default, to be over before an activity of 5 s is. */
  timeoutMs?: number;
}

/** @throws Error that names the option which is wrong, never its value */
export function createMailer({ pool, smtpUrl, from, timeoutMs = 4_000 }: MailerOptions): Mailer {
  const deliver = createDelivery(smtpServer(smtpUrl));
  const sender = readSender(from);
  if (!sender) throw new Error('MAIL_FROM must look like billing@example.com or Example Shop <billing@example.com>');

  return {
    send: async (request) => {
      const { mail, hash } = accept(request);
      const letter: Letter = { ...mail, from: sender, messageId: messageIdOf(mail.key, sender.domain) };
      const { key } = mail;
      const started = Date.now();
      const after = (share: number) => started + Math.ceil(timeoutMs * share);

      const record = await within(timeoutMs, (signal) =>
        transaction(pool, async (tx) => {
          await lock(tx, key, { waitMs: left(after(shareForTheLock)), idleMs: left(after(1)) });
          const known = await find(tx, key);
          if (known) return { ...known, replayed: true };
          const notAfter = after(shareForTheMail);
          const outcome = await attempt(tx, notAfter, (stop) =>
            deliver(letter, { signal: AbortSignal.any([signal, stop]), notAfter }),
          );
          const row = { request_hash: hash, message_id: letter.messageId, ...outcome };
          await add(tx, key, row);
          return { ...row, replayed: false };
        }),
      );
      return settled(record, hash);
    },
  };
}

/** Of the time for it all. What is left after the mail is for its record. */
const shareForTheLock = 0.5;
const shareForTheMail = 0.875;

/** At least one: to PostgreSQL, 0 is for ever. */
const left = (time: number): number => Math.max(1, time - Date.now());

interface Row {
  request_hash: string;
  message_id: string;
  status: 'sent' | 'refused';
  refusal: { message: string; details: Record<string, unknown> } | null;
}

/**
 * Gives up when the time is over, wherever the work may wait; it is told so by the signal, and then ends by itself. What can
 * still be waiting after that is a database that does not answer.
 */
async function within<Result>(ms: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const stop = new AbortController();
  const working = work(stop.signal);
  working.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new DatabaseUnavailable('The database did not answer in time');
      stop.abort(error);
      reject(error);
    }, ms);
  });
  return Promise.race([working, over]).finally(() => clearTimeout(timer));
}

/**
 * One attempt at a time for each key, until the transaction ends. That is soon even if this process stands still: the
 * database then ends the session, and the lock with it.
 */
async function lock(
  tx: PoolClient,
  key: string,
  { waitMs, idleMs }: { waitMs: number; idleMs: number },
): Promise<void> {
  const set = `SELECT set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true)`;
  await tx.query(set, [`${waitMs}ms`, `${idleMs}ms`]);
  try {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('mail ' || $1, 0))`, [key]);
  } catch (error) {
    if ((error as { code?: string }).code !== lockNotAvailable) throw error;
    const message = 'Another attempt at the same mail is under way';
    throw new NotificationError(failureTypes.mailServerUnavailable, message, {}, { cause: error });
  }
}

const lockNotAvailable = '55P03';

async function find(tx: PoolClient, key: string): Promise<Row | undefined> {
  const select = 'SELECT request_hash, message_id, status, refusal FROM mails WHERE key = $1';
  return (await tx.query<Row>(select, [key])).rows[0];
}

async function add(tx: PoolClient, key: string, { request_hash, message_id, status, refusal }: Row): Promise<void> {
  const insert = 'INSERT INTO mails (key, request_hash, message_id, status, refusal) VALUES ($1, $2, $3, $4, $5)';
  await tx.query(insert, [key, request_hash, message_id, status, refusal]);
}

/**
 * Delivers, as long as the time is not over and the connection, which holds the lock, is there: without it, another attempt
 * might be sending the same mail.
 */
async function attempt(
  tx: PoolClient,
  notAfter: number,
  deliver: (stop: AbortSignal) => Promise<void>,
): Promise<Pick<Row, 'status' | 'refusal'>> {
  const stop = new AbortController();
  const onLost = (cause: Error) => stop.abort(new Error('The connection to the database was lost', { cause }));
  const timer = setTimeout(() => stop.abort(new Error('The mail server did not answer in time')), left(notAfter));
  tx.on('error', onLost);
  try {
    await deliver(stop.signal);
    return { status: 'sent', refusal: null };
  } catch (error) {
    if (!(error instanceof NotificationError) || error.type !== failureTypes.refused) throw error;
    const { message, details } = error;
    return { status: 'refused', refusal: { message, details } };
  } finally {
    tx.off('error', onLost);
    clearTimeout(timer);
  }
}

function settled(row: Row & { replayed: boolean }, hash: string): SentMail {
  const { message_id: messageId, status, refusal, replayed } = row;
  if (row.request_hash !== hash) {
    throw new NotificationError(failureTypes.mismatch, 'Another mail was asked for under this key', { messageId });
  }
  if (status === 'refused') {
    throw new NotificationError(failureTypes.refused, refusal?.message ?? 'Refused', refusal?.details);
  }
  return { messageId, replayed };
}
