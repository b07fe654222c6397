import { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import type { Sender } from './address.ts';
import type { SmtpServer } from './config.ts';
import { NotificationError } from './errors.ts';
import { notificationFailureTypes as failureTypes } from './failure-types.ts';
import type { MailRequest } from './types.ts';

export interface Letter extends Pick<MailRequest, 'at' | 'to' | 'subject' | 'text' | 'html'> {
  from: Sender;
  messageId: string;
}

/** Returns when the mail server has taken the letter: it said 250. `notAfter` is a time in milliseconds, as `Date.now()` has it. */
export type Deliver = (letter: Letter, until: { signal: AbortSignal; notAfter: number }) => Promise<void>;

/**
 * One connection for each letter. When `signal` aborts, the connection is destroyed at once; and a letter is not finished after
 * `notAfter`, also not by a process that stood still until then and finds an answer before it finds that its time is over.
 *
 * It throws a `NotificationError`: `refused` if the server will never take this letter, `mailServerUnavailable` for anything
 * else; the letter may then have been taken.
 */
export function createDelivery(server: SmtpServer): Deliver {
  return async ({ from, to, at, messageId, subject, text, html }, { signal, notAfter }) => {
    const transport = createTransport({ ...server, socketCloseTimeout: 0 });
    transport.use('stream', (mail, done) => {
      mail.message.processFunc((letter) => Readable.from(inTime(letter, notAfter), { objectMode: false }));
      done();
    });
    try {
      await transport.sendMail({
        from: { name: from.name, address: from.address },
        to: { name: '', address: to },
        envelope: { from: from.address, to: [to] },
        messageId,
        date: new Date(at),
        // RFC 3834: no holiday notice in return.
        headers: { 'Auto-Submitted': 'auto-generated' },
        subject,
        text,
        html,
        // A second delivery is the same to the byte.
        baseBoundary: messageId.slice(1, 17),
        // Of a mail that says so, nodemailer would send a file of ours.
        disableFileAccess: true,
        disableUrlAccess: true,
        signal,
      });
    } catch (error) {
      throw toNotificationError(error as SmtpError, signal);
    }
  };
}

/** Is asked for the letter when the server wants it, and breaks off if that is too late: without its end it is not taken. */
async function* inTime(letter: AsyncIterable<Buffer>, notAfter: number): AsyncGenerator<Buffer> {
  const check = () => {
    if (Date.now() >= notAfter) throw new Error('The letter was late');
  };
  check();
  for await (const part of letter) yield part;
  check();
}

interface SmtpError extends Error {
  code?: string;
  command?: string;
  response?: string;
  responseCode?: number;
}

function toNotificationError(error: SmtpError, signal: AbortSignal): NotificationError {
  const { code = '', command = '', responseCode = 0 } = error;
  const unavailable = (message: string, options?: ErrorOptions) =>
    new NotificationError(failureTypes.mailServerUnavailable, message, {}, options);
  if (signal.aborted) return unavailable(String(signal.reason?.message ?? 'Given up'), { cause: signal.reason });
  // Without the cause: what a server says about credentials may have them in it.
  if (command.startsWith('AUTH') || code === 'EAUTH') {
    return unavailable(
      `The mail server does not take the user name and password of SMTP_URL (${responseCode || code})`,
    );
  }
  // A 5xx to anything before is about us and our configuration, and passes when that has been mended.
  const isAboutTheMail =
    command === 'RCPT TO' || command === 'DATA' || (command === 'MAIL FROM' && responseCode === 552);
  if ((responseCode >= 500 && isAboutTheMail) || (code === 'EMESSAGE' && responseCode === 0)) {
    const answer = responseCode === 0 ? '552 Too large' : printable(error.response ?? String(responseCode));
    const details = { code: responseCode || 552, answer };
    const cause = { cause: error };
    return new NotificationError(failureTypes.refused, `The mail server refused the mail: ${answer}`, details, cause);
  }
  const during = command && command !== 'CONN' ? ` (${command})` : '';
  const why = printable(error.response ?? error.message);
  return unavailable(`The mail server did not take the mail now${during}: ${why}`, { cause: error });
}

/** A server's words, for a log and a history. */
const printable = (words: string): string => words.replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ').slice(0, 300);
