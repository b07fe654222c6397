import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { temporalAddress } from '@repo/testing';
import { InvalidInputError } from '@repo/worker-kit';
import { describe, expect, it } from 'vitest';
import { atTheDoor } from '../src/contract.ts';
import * as accounts from '../src/extras/account-commands.ts';
import * as commands from '../src/extras/commands.ts';
import { parseMoney, statementDoor } from '../src/extras/doors.ts';
import { reconcileCommand } from '../src/extras/reconcile-command.ts';
import { realServer } from './real-server.ts';

const cli = fileURLToPath(new URL('../src/extras/cli.ts', import.meta.url));

const { world } = await realServer('transfer-cli');

/** Where nobody listens: what is refused is refused before anything is asked of a server. */
const nobody = { TEMPORAL_ADDRESS: '127.0.0.1:9', DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:9/none' };

/** Runs a command as a shell would. */
async function run(env: Record<string, string>, ...args: string[]) {
  return runUntil(undefined, env, ...args);
}

/** With a Ctrl-C once it has said something that matches. */
async function runUntil(ctrlC: RegExp | undefined, env: Record<string, string>, ...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx/esm', cli, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.err += text;
    if (!child.killed && ctrlC?.test(said.err)) child.kill('SIGINT');
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(said.err).not.toMatch(/^ +at /m);
  return { code, out: said.out.trim(), err: said.err.trim() };
}

describe('bad input: exit code 2, and what is wrong with which field', () => {
  it.concurrent.each([
    [['snd'], /^command: snd is none of start, worker, .*send, .*account$/],
    [
      ['send', '--from', '-', '--to', 'b', '--amount', '12.345', '--currency', 'EUR', '--reference', 'x'.repeat(300)],
      /^amount: must have at most 2 decimals in EUR\nreference: must be .*\nfrom: must be /,
    ],
    [['account', 'melt', 'alice'], /unknown command 'melt'/],
  ] as const)('transfer %j', async (args, says) => {
    const { code, out, err } = await run(nobody, ...args);
    expect(err).toMatch(says);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it.each([
    [
      /^reference: is missing\nfrom: is missing\nto: is missing\namount: .*\ncurrency: .*$/,
      () => commands.sendCommand({}),
    ],
    [
      /^approvalWithin: must be a duration, as 30s, 15m, 2h or 1d$/,
      () => commands.sendCommand({ approvalWithin: 'soon' }),
    ],
    [/^reference: must be 1 to 100 letters/, () => commands.statusCommand('a\u0007b', {})],
    [/^by: is missing$/, () => commands.decideCommand('approve', 'lunch', {})],
    [/^reference: must be 1 to 100 letters/, () => commands.decideCommand('resolve', '', { by: 'ada' })],
    [
      /^status: must be one of .*\nlimit: must be at least 1$/,
      () => commands.listCommand({ status: 'lost', limit: '0' }),
    ],
    [/^grace: must be a duration, as 30s, 15m, 2h or 1d$/, () => reconcileCommand({ grace: 'soon' })],
    [/^from: must be a day or a time, as 2027-03-01/, () => accounts.statementCommand('alice', { from: 'yesterday' })],
    [
      /^account: must be .*\ncurrency: must be a currency that is known/,
      () => accounts.openCommand('a b', { currency: 'XXX' }),
    ],
    [
      /^overdraft: must be an amount such as 12.50/,
      () => accounts.openCommand('a', { currency: 'EUR', overdraft: '-5' }),
    ],
    [/^amount: must be an amount such as 12.50/, () => accounts.payInCommand('a', { currency: 'EUR', amount: '1e21' })],
    [/^account: must be/, () => accounts.statusCommand('freeze', '', {})],
  ])('%s', (says, command) => {
    // Thrown at once: a promise would have begun to ask somebody.
    expect(command).toThrow(InvalidInputError);
    expect(command).toThrow(says);
  });
});

describe('amounts as people write them', () => {
  const options = { reference: 'r', from: 'alice', to: 'bob', currency: 'EUR', requestedBy: 'ada' };
  const send = (changes: Record<string, unknown>) => parseMoney(atTheDoor.transfer, { ...options, ...changes });

  it.each([
    ['0', 'EUR', 'amount: must be more than zero'],
    ['0.00', 'EUR', 'amount: must be more than zero'],
    ['-1', 'EUR', 'amount: must be an amount such as 12.50, in digits and at most one point'],
    ['1e400', 'EUR', 'amount: must be an amount such as 12.50, in digits and at most one point'],
    ['1,50', 'EUR', 'amount: must be an amount such as 12.50, in digits and at most one point'],
    ['12.5', 'JPY', 'amount: must have no decimals in JPY'],
    ['99999999999999999999', 'EUR', 'amount: must be at most 90071992547409.91'],
  ])('%s %s is refused', (amount, currency, says) => {
    expect(() => send({ amount, currency })).toThrow(says);
  });

  it.each([
    ['12.5', 'EUR', 1_250],
    ['12', 'JPY', 12],
    ['1.234', 'KWD', 1_234],
  ])('%s %s is %i', (amount, currency, minorUnits) => {
    expect(send({ amount, currency }).amount).toBe(minorUnits);
  });

  it('without a known currency, that is what is wrong, and not the amount', () => {
    expect(() => send({ amount: '12.50', currency: 'XXX' })).toThrow(/^currency: must be one of [A-Z, ]*$/);
  });
});

it('a day of a statement begins at midnight in UTC, a time may have an offset', () => {
  const period = { account: 'alice', from: '2027-03-01', to: '2027-03-01T12:00:00+02:00' };
  expect(statementDoor.parse(period)).toEqual({
    account: 'alice',
    from: '2027-03-01T00:00:00.000Z',
    to: '2027-03-01T10:00:00.000Z',
  });
});

it('each option arrives where it is meant', async () => {
  const real = { ...world.env, TEMPORAL_ADDRESS: temporalAddress() };
  const account = world.fresh('zoe');
  const open = ['account', 'open', account, '--currency', 'EUR', '--overdraft', '5'];
  expect(await run(real, ...open)).toEqual({ code: 0, out: `Account ${account} is open, in EUR.`, err: '' });
  const payIn = ['account', 'pay-in', account, '--amount', '10.01', '--currency', 'EUR', '--key', account];
  expect(await run(real, ...payIn)).toMatchObject({ code: 0, out: `10.01 EUR from outside has reached ${account}.` });
  const to = await world.account();
  const reference = world.fresh('ref');
  const send = ['send', '--from', account, '--to', to, '--amount', '15.01', '--currency', 'EUR', '--by', 'Ada'];
  expect(await run(real, ...send, '--reference', reference, '--approval-within', '2h', '--json')).toEqual({
    code: 0,
    out: `{"status":"completed","reference":"${reference}"}`,
    err: '',
  });
  const { out } = await run(real, 'status', reference, '--json');
  expect(JSON.parse(out)).toMatchObject({
    request: { reference, from: account, to, amount: 1_501, requestedBy: 'Ada', approvalWithin: 7_200 },
  });
  expect(await world.balances(account, to)).toEqual([-500, 1_501]);
});

it('Ctrl-C while nobody serves the queue: exit code 130, and how to go on', async () => {
  const env = { ...world.env, TEMPORAL_ADDRESS: temporalAddress(), TASK_QUEUE: world.fresh('deserted') };
  const { reference, from, to } = await world.aTransfer();
  const send = ['send', '--from', from, '--to', to, '--amount', '12.50', '--currency', 'EUR', '--reference', reference];
  const { code, out, err } = await runUntil(/^Waiting\. .*start a worker/m, env, ...send);
  expect(err).toMatch(new RegExp(`\\nNot waited for any longer\\. .*\\n {2}\\S.* status ${reference}$`));
  expect({ code, out }).toEqual({ code: 130, out: '' });
  expect(await world.balances(from, to)).toEqual([10_000, 0]);
});
