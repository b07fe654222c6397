import { postgresUrl, temporalAddress } from '@repo/testing';
import { expect, it, vi } from 'vitest';
import * as accounts from '../src/extras/account-commands.ts';
import * as commands from '../src/extras/commands.ts';
import { migrate } from '../src/extras/migrate.ts';
import { reconcileCommand } from '../src/extras/reconcile-command.ts';
import { realServer } from './real-server.ts';
import { saying } from './saying.ts';

const { world } = await realServer('transfer-commands');
Object.assign(process.env, world.env, { TEMPORAL_ADDRESS: temporalAddress() });

const answer = async (command: () => Promise<void>) => {
  const { code, out } = await saying(command);
  return { code, answer: JSON.parse(out) };
};
const json = true;

it('accounts: open again, pay in again, freeze, unfreeze, close, list', async () => {
  const account = world.fresh('zoe');
  const open = (currency: string) => accounts.openCommand(account, { currency, overdraft: '5', json });
  expect(await answer(() => open('EUR'))).toMatchObject({ code: 0, answer: { overdraft: 500, replayed: false } });
  expect(await answer(() => open('EUR'))).toMatchObject({ code: 0, answer: { replayed: true } });
  expect(await answer(() => open('USD'))).toMatchObject({
    code: 1,
    answer: { status: 'refused', reason: { type: 'LedgerMismatch' } },
  });
  const payIn = () => accounts.payInCommand(account, { amount: '10.01', currency: 'EUR', key: account });
  expect(await saying(payIn)).toMatchObject({ code: 0, out: `10.01 EUR from outside has reached ${account}.` });
  expect(await saying(payIn)).toMatchObject({ code: 0, out: expect.stringMatching(/before: nothing was done\.$/) });
  expect(await world.balances(account)).toEqual([1_001]);
  expect(await saying(() => accounts.statusCommand('close', account, {}))).toEqual({
    code: 1,
    out: '',
    err: `Refused: Account ${account} has money, or money on its way.`,
  });
  for (const [name, status] of [
    ['freeze', 'frozen'],
    ['unfreeze', 'open'],
    ['freeze', 'frozen'],
  ] as const) {
    expect(await saying(() => accounts.statusCommand(name, account, {}))).toMatchObject({ code: 0, err: '' });
    expect((await world.ledger.account({ account })).status).toBe(status);
  }
  const { code, out } = await saying(() => accounts.listCommand({}));
  expect(code).toBe(0);
  expect(out).toMatch(new RegExp(`^${account} +10\\.01 EUR  frozen, may go to -5\\.00 EUR$`, 'm'));
});

it('an overdraft of zero is none', async () => {
  const open = () => accounts.openCommand(world.fresh('zoe'), { currency: 'EUR', overdraft: '0.00', json });
  expect(await answer(open)).toMatchObject({ code: 0, answer: { overdraft: 0 } });
});

it('a list and a statement of more than one page are whole', async () => {
  const account = world.fresh('page-0');
  const all = Array.from({ length: 101 }, () => world.fresh('page'));
  const at = new Date().toISOString();
  await Promise.all(all.map((one) => world.ledger.openAccount({ key: one, at, account: one, currency: 'EUR' })));
  await world.ledger.openAccount({ key: account, at, account, currency: 'EUR' });
  for (const one of all) {
    await world.ledger.payIn({ key: `pay-in:${one}`, at, account, amount: 1, currency: 'EUR' });
  }
  const { out } = await saying(() => accounts.listCommand({}));
  expect(all.filter((one) => !out.includes(`${one} `))).toEqual([]);
  const statement = await saying(() => accounts.statementCommand(account, {}));
  expect(statement.out.match(/paid in/g)).toHaveLength(101);
  expect(statement.out.split('\n').at(-1)).toMatch(/^ +after +1\.01$/);
  expect(statement.out.match(/before/g)).toHaveLength(1);
});

it('transfers: sent again, with other details, refused, looked at', async () => {
  const { reference, from, to } = await world.aTransfer();
  const send = (amount: string, as = reference) =>
    commands.sendCommand({ from, to, amount, currency: 'EUR', reference: as, by: 'Ada' });
  const completed = { code: 0, out: `Transfer ${reference} is completed.`, err: '' };
  expect(await saying(() => send('12.50'))).toEqual(completed);
  expect(await saying(() => send('12.50'))).toEqual(completed);
  expect(await saying(() => send('12.51'))).toMatchObject({
    code: 2,
    err: `amount: transfer ${reference} exists with other details`,
  });
  expect(await saying(() => send('999', `${reference}-b`))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/is refused, and nothing was moved: from: Account .* has not enough funds\.$/),
  });
  const toNobody = { from, to: 'nobody', amount: '1', currency: 'EUR', reference: `${reference}-c` };
  expect(await saying(() => commands.sendCommand(toNobody))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/is refused, and nothing was moved: to: There is no account nobody\.$/),
  });
  expect(await world.asked(toNobody.reference)).toEqual(['withdraw refused']);
  expect(await world.balances(from, to)).toEqual([8_750, 1_250]);
  expect(await answer(() => commands.statusCommand(reference, { json }))).toMatchObject({
    code: 0,
    answer: { status: 'completed', request: { amount: 1_250 }, money: { status: 'deposited', amount: 1_250 } },
  });
  expect(await answer(() => accounts.statementCommand(from, { json }))).toMatchObject({
    code: 0,
    answer: { opening: 0, closing: 8_750, entries: [{ kind: 'pay-in' }, { kind: 'withdrawal', amount: -1_250 }] },
  });
  expect(await saying(() => accounts.statementCommand('nobody', {}))).toMatchObject({
    code: 1,
    err: 'Refused: There is no account nobody.',
  });
  expect(await saying(() => commands.statusCommand('never-sent', {}))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^There is no transfer never-sent\.\n→ /),
  });
});

it('a large one waits, is not approved by its requester, and is rejected by somebody else', async () => {
  const { reference, from, to } = await world.aTransfer({ amount: 1_250_000 });
  const send = () => commands.sendCommand({ from, to, amount: '12500', currency: 'EUR', reference, by: 'Ada', json });
  expect(await answer(send)).toMatchObject({ code: 0, answer: { status: 'waiting-for-approval' } });
  expect(await saying(() => commands.decideCommand('approve', reference, { by: ' ADA' }))).toMatchObject({
    code: 2,
    err: `by: Ada has asked for ${reference}; somebody else has to decide`,
  });
  const { out } = await saying(() => reconcileCommand({ grace: '0s' }));
  expect(out).toMatch(/^\d+ resting in suspense: \d+ given back, \d+ need attention\.$/m);
  expect(out).not.toContain(`${reference}:`);
  expect(await answer(() => commands.decideCommand('reject', reference, { by: 'Carol', json }))).toEqual({
    code: 0,
    answer: { status: 'rejected', reference, by: 'Carol' },
  });
  expect(await saying(() => commands.decideCommand('approve', reference, { by: 'Dave' }))).toMatchObject({ code: 2 });
  expect(await world.balances(from, to)).toEqual([1_250_000, 0]);
});

it('one that nobody can take needs attention (exit code 3), is listed, and is resolved', async () => {
  const { reference, from, to } = await world.aTransfer();
  world.faults.on({ point: 'before-transaction', of: 'deposit', calls: 1, effect: 'hang' });
  const sent = saying(() => commands.sendCommand({ from, to, amount: '12.50', currency: 'EUR', reference }));
  await vi.waitFor(() => expect(world.faults.met).toContain('before-transaction of deposit'), 10_000);
  await world.freeze(from, to);
  world.faults.off();
  expect(await sent).toMatchObject({
    code: 3,
    err: expect.stringMatching(
      new RegExp(`needs attention \\(refund\\): Account .* is frozen\\.\\n.* resolve ${reference} `),
    ),
  });
  await vi.waitFor(async () => {
    const { out } = await saying(() => commands.listCommand({ needsAttention: true }));
    expect(out).toMatch(new RegExp(`^${reference} +needs-attention `, 'm'));
    expect(out).not.toMatch(/ (completed|rejected) /);
  }, 10_000);
  expect(await saying(() => commands.decideCommand('resolve', reference, { by: 'Carol' }))).toMatchObject({
    code: 3,
  });
  await world.unfreeze(to);
  expect(await saying(() => commands.decideCommand('resolve', reference, { by: 'Carol' }))).toEqual({
    code: 0,
    out: `Transfer ${reference} is completed.`,
    err: '',
  });
  expect(await world.balances(from, to)).toEqual([8_750, 1_250]);
});

it.each([
  [() => accounts.listCommand({}), /^PostgreSQL does not answer.*\n→ Start it, or say with DATABASE_URL/],
  [
    () => accounts.payInCommand('alice', { amount: '5', currency: 'EUR', key: 'k7' }),
    /^PostgreSQL has not answered: the money may have arrived\.\n→ Run this again with --key k7/,
  ],
])('without a database: one message with the next step, and exit code 1', async (command, says) => {
  vi.stubEnv('DATABASE_URL', 'postgres://nobody:nothing@127.0.0.1:9/none');
  expect(await saying(command)).toEqual({ code: 1, out: '', err: expect.stringMatching(says) });
  vi.unstubAllEnvs();
});

const changed = (url: string, change: Partial<URL>) => Object.assign(new URL(url), change).href;

it.each([
  ['a database without a ledger', () => postgresUrl(), /^There is no ledger in that database\.\n→ Run: .* migrate$/],
  ['no such database', () => changed(postgresUrl(), { pathname: '/none' }), /^There is no ledger in that database\./],
  [
    'a wrong password',
    () => changed(world.env.DATABASE_URL, { password: 'wrong' }),
    /^PostgreSQL refuses \(.*\)\.\n→ Check DATABASE_URL\./,
  ],
  ['no URL', () => 'somewhere', /^The configuration is not right:\n {2}DATABASE_URL must be a URL of PostgreSQL\n→ /],
])('%s: what to do', async (_, url, says) => {
  vi.stubEnv('DATABASE_URL', url());
  expect(await saying(() => accounts.listCommand({}))).toMatchObject({ code: 1, err: expect.stringMatching(says) });
  vi.unstubAllEnvs();
});

it("migrate makes a ledger on a PostgreSQL of one's own, and says if it cannot", async () => {
  const role = world.fresh('role').replaceAll('-', '_');
  const own = changed(postgresUrl(), { username: role, password: 'of its own', pathname: `/${role}` });
  vi.stubEnv('DATABASE_URL', own);
  expect(await saying(migrate)).toMatchObject({ code: 1, err: expect.stringMatching(/POSTGRES_ADMIN_URL=/) });
  vi.stubEnv('POSTGRES_ADMIN_URL', 'postgres://somebody@elsewhere/postgres');
  expect(await saying(migrate)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/do not name the same PostgreSQL/),
  });
  vi.stubEnv('POSTGRES_ADMIN_URL', postgresUrl());
  for (const _ of ['the first time', 'again']) expect(await saying(migrate)).toMatchObject({ code: 0, err: '' });
  const open = () => accounts.openCommand('zoe', { currency: 'EUR' });
  expect(await saying(open)).toMatchObject({ code: 0, out: 'Account zoe is open, in EUR.' });
  vi.unstubAllEnvs();
});
