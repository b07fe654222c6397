import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMailer } from '@repo/notifications';
import { startInbox } from '@repo/notifications/inbox';
import { createPool } from '@repo/operations';
import { postgresUrl } from '@repo/testing';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import * as customers from '../src/extras/customer-commands.ts';
import { mailLine } from '../src/extras/inbox-command.ts';
import { readAllMail } from '../src/extras/mail-folders.ts';
import { migrate } from '../src/extras/migrate.ts';
import { saying } from './saying.ts';
import { World } from './world.ts';

const world = await World.create();
Object.assign(process.env, world.env);
afterAll(() => world.end());
afterEach(() => vi.unstubAllEnvs());

const changed = (url: string, change: Partial<URL>) => Object.assign(new URL(url), change).href;
const { DATABASE_URL } = world.env;

it.each([
  [
    'nobody there',
    'postgres://a:b@127.0.0.1:9/none',
    /^PostgreSQL does not answer.*\n→ Start it, or say with DATABASE_URL/,
  ],
  ['no tables', postgresUrl(), /^A database has no tables of this app\.\n→ Run: .* migrate$/],
  ['no such database', changed(postgresUrl(), { pathname: '/none' }), /^A database has no tables of this app\./],
  [
    'a wrong password',
    changed(DATABASE_URL, { password: 'wrong' }),
    /^PostgreSQL refuses \(.*\)\.\n→ Check DATABASE_URL/,
  ],
  ['no URL', 'somewhere', /^The configuration is not right:\n {2}DATABASE_URL must be a URL of PostgreSQL\n→ /],
])('%s: one message with the next step, and exit code 1', async (_, url, says) => {
  vi.stubEnv('DATABASE_URL', url);
  const { code, out, err } = await saying(() => customers.listCommand({}));
  expect({ code, out, err }).toEqual({ code: 1, out: '', err: expect.stringMatching(says) });
  expect(err).not.toContain('wrong');
});

it('of three databases, all or none are one’s own', async () => {
  vi.stubEnv('LEDGER_URL', '');
  expect(await saying(() => customers.listCommand({}))).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(/^The configuration is not right:\n {2}LEDGER_URL is missing\n/),
  });
});

it('a payment that is not answered names the key under which it is to be repeated', async () => {
  vi.stubEnv('LEDGER_URL', 'postgres://a:b@127.0.0.1:9/none');
  const customer = await world.customer();
  expect(await saying(() => customers.payInCommand(customer, { amount: '5', key: 'k7' }))).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(
      /^PostgreSQL has not answered: the money may have arrived\.\n→ Run this again with --key k7/,
    ),
  });
});

it("migrate makes everything on a PostgreSQL of one's own, and says if it cannot", async () => {
  const name = world.fresh('own').replaceAll('-', '_');
  for (const [variable, part] of [
    ['DATABASE_URL', 'app'],
    ['MAIL_DATABASE_URL', 'mail'],
    ['LEDGER_URL', 'ledger'],
  ] as const) {
    const role = { username: `${name}_${part}`, password: 'of its own', pathname: `/${name}` };
    vi.stubEnv(variable, changed(postgresUrl(), role));
  }
  expect(await saying(migrate)).toMatchObject({ code: 1, err: expect.stringMatching(/POSTGRES_ADMIN_URL=/) });
  vi.stubEnv('POSTGRES_ADMIN_URL', 'postgres://somebody@elsewhere/postgres');
  expect(await saying(migrate)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/do not name the same PostgreSQL/),
  });
  vi.stubEnv('POSTGRES_ADMIN_URL', postgresUrl());
  for (const _ of ['the first time', 'again']) expect(await saying(migrate)).toMatchObject({ code: 0, err: '' });
  expect(await saying(() => customers.addCommand('zoe', {}))).toMatchObject({ code: 0, err: '' });
  const { LEDGER_URL = '' } = process.env;
  const pool = createPool({ connectionString: LEDGER_URL });
  const { rows } = await pool.query("SELECT count(*)::int AS count FROM accounts WHERE id LIKE 'merchant-%'");
  await pool.end();
  expect(rows).toEqual([{ count: 20 }]);
});

describe('the inbox of several mail servers', () => {
  it('is one, in the order of arrival, and does not hide that a mail came twice', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mail-'));
    const servers = [await startInbox({ folder: join(folder, 'b') }), await startInbox({ folder: join(folder, 'a') })];
    const mail = { at: '2027-01-31T08:00:00.000Z', to: 'ada@example.com', text: 'text', html: '<p>text</p>' };
    // Two databases: to each of them, the mail is a new one.
    for (const [index, { url: smtpUrl }] of servers.entries()) {
      const other = index === 0 ? world : await World.create();
      const pool = createPool({ connectionString: other.env.MAIL_DATABASE_URL });
      const mailer = createMailer({ pool, smtpUrl, from: 'billing@example.com' });
      await mailer.send({ ...mail, key: 'twice', subject: 'Twice' });
      if (index === 0) await mailer.send({ ...mail, key: 'once', subject: 'Once' });
      await pool.end();
      if (other !== world) await other.end();
    }
    await Promise.all(servers.map((server) => server.close()));
    const all = await readAllMail(folder);
    expect(all.map(({ subject, delivery }) => [subject, delivery])).toEqual([
      ['Twice', 1],
      ['Once', 1],
      ['Twice', 2],
    ]);
    expect(all.map(mailLine).at(-1)).toMatch(/ {2}ada@example\.com +Twice {2}\(delivery 2 of the same mail\)$/);
    await rm(folder, { recursive: true });
    expect(await readAllMail(folder)).toEqual([]);
  });
});
