import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createPool, DatabaseUnavailable } from '@repo/operations';
import { Wire } from '@repo/testing';
import { createCutter } from '@repo/testing/cutter';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { notificationFailureTypes as failure } from '../src/failure-types.ts';
import { failureOf, fresh, type Office, openOffice, until } from './harness.ts';

let office: Office;
let admin: Pool;
beforeAll(async () => {
  office = await openOffice('notifications_outages');
  admin = createPool({ connectionString: inject('databaseUrl'), max: 2 });
});
afterAll(() => Promise.all([office.close(), admin.end()]));
afterEach(() => office.inbox.setFault(undefined));

/** The sessions in which a mail is under way. */
const underWay = async () => {
  const select = `SELECT pid FROM pg_stat_activity WHERE datname = 'notifications_outages' AND state = 'idle in transaction'`;
  return (await admin.query(select)).rows.map(({ pid }) => pid as number);
};

describe('a mail server that does not answer', () => {
  it('is given up in time: nothing was taken, and nothing is held', async () => {
    office.inbox.setFault({ kind: 'stall' });
    const mail = fresh();
    const failed = await failureOf(office.mailerWith({ timeoutMs: 3_000 }).send(mail));
    expect(failed).toMatchObject({
      type: failure.mailServerUnavailable,
      message: 'The mail server did not answer in time',
    });
    expect(await underWay()).toEqual([]);
    office.inbox.setFault(undefined);
    expect(await office.mailer.send(mail)).toMatchObject({ replayed: false });
    expect(await office.delivered(mail.to)).toHaveLength(1);
  });

  it('with its 250 only: it is delivered again, and that can be seen', async () => {
    office.inbox.setFault({ kind: 'hold-answer' });
    const mail = fresh();
    const failed = await failureOf(office.mailerWith({ timeoutMs: 3_000 }).send(mail));
    expect(failed).toMatchObject({ type: failure.mailServerUnavailable });
    office.inbox.setFault(undefined);
    await office.mailer.send(mail);
    expect((await office.delivered(mail.to)).map(({ delivery }) => delivery)).toEqual([1, 2]);
  });
});

describe('an attempt while another one is under way', () => {
  it('gives up in time, sends nothing, and the mail is sent once', async () => {
    office.inbox.setFault({ kind: 'stall' });
    const mail = fresh();
    const first = office.mailer.send(mail);
    await until(() => office.inbox.held() === 1);
    const second = await failureOf(office.mailerWith({ timeoutMs: 3_000 }).send(mail));
    expect(second).toMatchObject({
      type: failure.mailServerUnavailable,
      message: 'Another attempt at the same mail is under way',
    });
    const late = office.mailer.send(mail);
    office.inbox.setFault(undefined);
    expect(await first).toMatchObject({ replayed: false });
    expect(await late).toMatchObject({ replayed: true });
    expect(await office.delivered(mail.to)).toHaveLength(1);
  });

  it('takes over when the other failed', async () => {
    office.inbox.setFault({ kind: 'stall', times: 1 });
    const mail = fresh();
    const first = failureOf(office.mailerWith({ timeoutMs: 4_000 }).send(mail));
    await until(() => office.inbox.held() === 1);
    expect(await office.mailer.send(mail)).toMatchObject({ replayed: false });
    expect(await first).toMatchObject({ type: failure.mailServerUnavailable });
    expect(await office.delivered(mail.to)).toHaveLength(1);
  });

  it('does not wait for other mails', async () => {
    office.inbox.setFault({ kind: 'stall', times: 1 });
    const slow = fresh();
    const first = office.mailer.send(slow);
    await until(() => office.inbox.held() === 1);
    expect(await office.mailer.send(fresh())).toMatchObject({ replayed: false });
    office.inbox.setFault(undefined);
    await first;
  });
});

describe('an attempt whose process stands still', () => {
  it('loses the lock in time, and does not send when it goes on', async () => {
    office.inbox.setFault({ kind: 'stall', times: 1 });
    const mail = fresh();
    const sender = startSender({ url: office.url, smtpUrl: office.inbox.url, timeoutMs: 8_000, mail });
    try {
      await until(() => office.inbox.held() === 1);
      sender.kill('SIGSTOP');
      // The answer that the attempt waits for is there, and the first thing that it finds when it goes on.
      office.inbox.setFault(undefined);
      await say(office.inbox.port);
      // Takes as long as the time-out that the attempt has set for its session.
      await until(async () => (await underWay()).length === 0);
      expect(await office.mailer.send(mail)).toMatchObject({ replayed: false });
      sender.kill('SIGCONT');
      expect(await text(sender.stdout)).toBe('failed\n');
      expect(await office.delivered(mail.to)).toHaveLength(1);
    } finally {
      sender.kill('SIGKILL');
    }
  });
});

function startSender(what: object) {
  const testing = createRequire(import.meta.url).resolve('@repo/testing');
  const tsx = pathToFileURL(createRequire(testing).resolve('tsx/esm')).href;
  const program = fileURLToPath(new URL('./fixtures/late-sender.ts', import.meta.url));
  return spawn(process.execPath, ['--import', tsx, program, JSON.stringify(what)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Returns when the inbox has answered, and so has done what it was to do before. */
async function say(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'data');
  socket.destroy();
}

describe('the database', () => {
  it('is down, then up: nothing was sent without it', async () => {
    const { hostname, port } = new URL(office.url);
    const wire = new Wire(hostname, Number(port));
    await wire.up();
    const pool = createPool({ connectionString: office.url.replace(`:${port}/`, `:${wire.port}/`) });
    const mailer = office.mailerWith({ pool });
    await mailer.send(fresh());
    await wire.down();
    const mail = fresh();
    expect(await failureOf(mailer.send(mail))).toBeInstanceOf(DatabaseUnavailable);
    expect(await office.delivered(mail.to)).toEqual([]);
    await wire.up();
    expect(await mailer.send(mail)).toMatchObject({ replayed: false });
    await pool.end();
    await wire.down();
  });

  it('lost while the mail is under way: the mail is not sent, for another attempt may send it', async () => {
    office.inbox.setFault({ kind: 'stall' });
    const mail = fresh();
    // By itself it would go on for longer than the test waits.
    let failed: Error | undefined;
    void failureOf(office.mailerWith({ timeoutMs: 60_000 }).send(mail)).then((error) => {
      failed = error;
    });
    await until(() => office.inbox.held() === 1);
    await admin.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [await underWay()]);
    await until(() => failed);
    expect(failed).toBeInstanceOf(DatabaseUnavailable);
    office.inbox.setFault(undefined);
    expect(await office.delivered(mail.to)).toEqual([]);
    await office.mailer.send(mail);
    expect(await office.delivered(mail.to)).toHaveLength(1);
  });

  it.each([
    ['after it kept the record: known sent', 'COMMIT\0', 'after', 1],
    ['before it kept the record: a second delivery', 'INSERT INTO mails', 'before', 2],
  ] as const)('lost %s', async (_, word, when, deliveries) => {
    const cutter = await createCutter(office.url);
    const pool = createPool({ connectionString: cutter.url });
    const mail = fresh();
    cutter.cutNext(word, when);
    expect(await failureOf(office.mailerWith({ pool }).send(mail))).toBeInstanceOf(DatabaseUnavailable);
    expect(await office.mailer.send(mail)).toMatchObject({ replayed: deliveries === 1 });
    expect((await office.delivered(mail.to)).map(({ delivery }) => delivery)).toEqual([1, 2].slice(0, deliveries));
    await pool.end();
    cutter.close();
  });

  it('without a free connection: given up in time, and not sent later', async () => {
    const pool = createPool({ connectionString: office.url, max: 1, connectionTimeoutMillis: 60_000 });
    const taken = await pool.connect();
    const mail = fresh();
    expect(await failureOf(office.mailerWith({ pool, timeoutMs: 500 }).send(mail))).toBeInstanceOf(DatabaseUnavailable);
    taken.release();
    // Its turn comes now, before that of this query.
    await pool.query('SELECT 1');
    expect(await office.recorded(mail.key)).toEqual([]);
    expect(await office.delivered(mail.to)).toEqual([]);
    await pool.end();
  });
});

describe('the role of the application', () => {
  const denied = (sql: string) => failureOf(office.pool.query(sql)) as Promise<{ code?: string }>;

  it('reads and adds records, and changes and removes none', async () => {
    await office.mailer.send(fresh());
    const statements = [
      `UPDATE mails SET status = 'refused'`,
      'DELETE FROM mails',
      'TRUNCATE mails',
      'DROP TABLE mails',
    ];
    for (const sql of statements) expect(await denied(sql)).toMatchObject({ code: '42501' });
  });
});
