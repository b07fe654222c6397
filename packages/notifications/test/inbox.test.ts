import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Inbox, readInbox, startInbox } from '../src/inbox.ts';

let folder: string;
let inbox: Inbox;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'inbox-'));
  inbox = await startInbox({ folder: join(folder, 'mails') });
});
afterEach(async () => {
  await inbox.close();
  rmSync(folder, { recursive: true });
});
const mails = () => join(folder, 'mails');

/** Where this machine is for others. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((each) => each && !each.internal && each.family === 'IPv4');

/** Says one line after the other and returns the code of each answer; 0 if the connection was cut instead. */
async function say(...lines: string[]): Promise<number[]> {
  const socket = connect(inbox.port, '127.0.0.1');
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  const answer = async (): Promise<number> => {
    for (;;) {
      const { value, done } = await answers.next();
      if (done) return 0;
      if (/^\d{3}(?: |$)/.test(value)) return Number(value.slice(0, 3));
    }
  };
  const codes = [await answer()];
  for (const line of lines) {
    socket.write(`${line}\r\n`);
    codes.push(await answer());
  }
  socket.destroy();
  return codes;
}
const letter = (to: string, text = 'Hello') => [
  'EHLO test',
  'MAIL FROM:<shop@example.com>',
  `RCPT TO:<${to}>`,
  'DATA',
  `Message-ID: <1@example.com>\r\nTo: <shown@example.com>\r\nSubject: Hi\r\n\r\n${text}\r\n.`,
];

describe('an inbox', () => {
  it('keeps every delivery, in order, for whom it was really sent to', async () => {
    expect(await say(...letter('a@example.com'))).toEqual([220, 250, 250, 250, 354, 250]);
    await say(...letter('b@example.com'));
    expect(readdirSync(mails())).toEqual(['00000001.eml', '00000002.eml']);
    expect(await readInbox(mails())).toMatchObject([
      { to: 'a@example.com', subject: 'Hi', text: 'Hello\n', html: '', messageId: '<1@example.com>', delivery: 1 },
      { to: 'b@example.com', delivery: 2 },
    ]);
  });

  it('cannot be told by the mail itself whom it is for', async () => {
    await say(...letter('a@example.com').with(-1, 'Delivered-To: <eve@example.com>\r\nSubject: Hi\r\n\r\nHello\r\n.'));
    expect(await readInbox(mails())).toMatchObject([{ to: 'a@example.com', messageId: '' }]);
  });

  it('takes one recipient, no password, and no command to encrypt', async () => {
    const codes = await say(
      'EHLO test',
      'AUTH PLAIN AGEAYg==',
      'STARTTLS',
      'MAIL FROM:<shop@example.com>',
      'RCPT TO:<a@example.com>',
      'RCPT TO:<b@example.com>',
    );
    expect(codes).toEqual([220, 250, 500, 500, 250, 250, 452]);
  });

  it('keeps nothing of a mail that is too large or does not end', async () => {
    expect((await say(...letter('a@example.com', 'x'.repeat(1_100_000)))).at(-1)).toBe(552);
    const socket = connect(inbox.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(`${letter('a@example.com').slice(0, 4).join('\r\n')}\r\nSubject: Hi`);
    await once(socket, 'data');
    await inbox.close();
    expect(readdirSync(mails())).toEqual([]);
  });

  it.skipIf(!outside)('is not there for other machines', async () => {
    const socket = connect(inbox.port, outside?.address);
    await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is not started on a port that is taken', async () => {
    const second = startInbox({ folder: join(folder, 'second'), port: inbox.port });
    await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('of which there is no folder is empty', async () => {
    expect(await readInbox(join(folder, 'none'))).toEqual([]);
  });
});

describe('a fault', () => {
  it('is for one address, for some times, or until it is mended', async () => {
    inbox.setFault({ kind: 'refuse', to: 'a@example.com', times: 1 });
    const recipients = ['EHLO test', 'MAIL FROM:<s@example.com>', 'RCPT TO:<b@example.com>'];
    expect((await say(...recipients)).at(-1)).toBe(250);
    const refused = recipients.with(-1, 'RCPT TO:<a@example.com>');
    expect((await say(...refused)).at(-1)).toBe(550);
    expect((await say(...refused)).at(-1)).toBe(250);
    inbox.setFault({ kind: 'busy' });
    expect((await say(...refused)).at(-1)).toBe(451);
    expect((await say(...refused)).at(-1)).toBe(451);
    inbox.setFault(undefined);
    expect((await say(...refused)).at(-1)).toBe(250);
  });

  it('in the answer keeps the mail', async () => {
    inbox.setFault({ kind: 'lose-answer' });
    expect((await say(...letter('a@example.com'))).at(-1)).toBe(0);
    expect(await readInbox(mails())).toHaveLength(1);
  });
});
