import { expect, it, vi } from 'vitest';
import * as changes from '../src/extras/change-commands.ts';
import * as commands from '../src/extras/commands.ts';
import * as customers from '../src/extras/customer-commands.ts';
import { spanOf } from '../src/extras/doors.ts';
import { reconcileCommand } from '../src/extras/reconcile-command.ts';
import { atHand } from './at-hand.ts';
import { saying } from './saying.ts';

const { world, until } = await atHand('subscription-cli');

let runs = 0;

/** Runs a command as its program does, but in this process: it has loaded what the commands need. */
async function run(...args: string[]) {
  vi.spyOn(process, 'argv', 'get').mockReturnValue(['node', 'subscription', ...args]);
  // Under another name each time, or it would not run again.
  runs += 1;
  const program = `../src/extras/cli.ts?${runs}`;
  return saying(() => import(program));
}

it.each([
  [/^subscriptionId: .*\ncustomer: is missing\nplan: is missing$/, () => commands.subscribeCommand({ id: 'a b' })],
  [
    /^customer: must be 1 to 64 letters.*\nplan: must be 1 to 50 small letters/,
    () => commands.subscribeCommand({ id: 'a', customer: 'a\r\nb', plan: 'No Plan' }),
  ],
  [
    /^plan: is given twice: by --plan and --plan-file$/,
    () => commands.subscribeCommand({ plan: 'endless', planFile: 'plan.json' }),
  ],
  [/^timeZone: must be/, () => commands.subscribeCommand({ id: 'a', customer: 'a', plan: 'endless', timeZone: '<b>' })],
  [/^subscriptionId: must be 1 to 100 letters/, () => commands.statusCommand('a\u0007b', {})],
  [
    /^status: must be one of .*\nlimit: must be at least 1$/,
    () => commands.listCommand({ status: 'lost', limit: '0' }),
  ],
  [/^price: is missing$/, () => changes.changePriceCommand('a', {})],
  [/^price: must be more than zero$/, () => changes.changePriceCommand('a', { price: '0' })],
  [/^price: must be more than zero$/, () => changes.changePriceCommand('a', { price: '0.00' })],
  [/^price: must be an amount such as 12.50/, () => changes.changePriceCommand('a', { price: '-1' })],
  [/^price: must be an amount such as 12.50/, () => changes.changePriceCommand('a', { price: '1e21' })],
  [/^price: must be an amount such as 12.50/, () => changes.changePriceCommand('a', { price: '1e400' })],
  [/^price: must be an amount such as 12.50/, () => changes.changePriceCommand('a', { price: '1,50' })],
  [/^from: must be at least 1$/, () => changes.changePriceCommand('a', { price: '1', from: '0' })],
  [/^from: /, () => changes.changePriceCommand('a', { price: '1', from: 'next' })],
  [/^by: must not be empty$/, () => changes.changePriceCommand('a', { price: '1', by: ' ' })],
  [/^period: is missing$/, () => changes.changePeriodCommand('a', {})],
  [
    /^period: must be a length such as 1-month or 30-days$/,
    () => changes.changePeriodCommand('a', { period: '-1-day' }),
  ],
  [/^period\.days: must be at least 1/, () => changes.changePeriodCommand('a', { period: '0-days' })],
  [
    /^period\.months: must be at most 120, ten years/,
    () => changes.changePeriodCommand('a', { period: '120000-months' }),
  ],
  [/^credit: is missing, or --debit$/, () => changes.adjustCommand('a', { reason: 'r' })],
  [/^reason: is missing$/, () => changes.adjustCommand('a', { credit: '1' })],
  [/^debit: must be an amount/, () => changes.adjustCommand('a', { debit: '1e400', reason: 'r' })],
  [/^reference: must be/, () => changes.adjustCommand('a', { debit: '1', reason: 'r', reference: 'a:b' })],
  [/^period: is missing$/, () => changes.refundCommand('a', {})],
  [/^period: must be a whole number$/, () => changes.refundCommand('a', { period: '1.5' })],
  [/^subscriptionId: must be/, () => changes.cancelCommand('', {})],
  [/^grace: must be a duration, as 30s, 15m, 2h or 1d$/, () => reconcileCommand({ grace: 'soon' })],
  [
    /^email: must be an address such as ada@example.com, without line breaks or blanks/,
    () => customers.addCommand('a', { email: 'ada@example.com\r\nBcc: bob@example.com' }),
  ],
  [
    /^timeZone: must be the name of a time zone.*\ncurrency: must be a currency that is known/,
    () => customers.addCommand('a', { timeZone: 'Mars/Base', currency: 'XXX' }),
  ],
  [/^name: must not contain control characters$/, () => customers.addCommand('a', { name: 'a\nb' })],
  [/^amount: must be an amount/, () => customers.payInCommand('a', { amount: '1e21' })],
])('bad input is exit code 2, and what is wrong with which field: %s', async (says, command) => {
  expect(await saying(command)).toEqual({ code: 2, out: '', err: expect.stringMatching(says) });
});

it.each([
  ['1-month', { months: 1 }],
  ['14 days', { days: 14 }],
  ['30-seconds', { seconds: 30 }],
])('the length %s is %j', (text, span) => {
  expect(spanOf('period', text)).toEqual(span);
});

it('what is not known at all is said before anything is started', async () => {
  const { code, err } = await run('subscrib');
  expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/^command: subscrib is none of start, worker/) });
});

it('each option arrives where it is meant', async () => {
  const customer = world.fresh('zoe');
  const add = ['customer', 'add', customer, '--name', 'Zoe', '--email', 'zoe@example.org', '--time-zone', 'Asia/Tokyo'];
  const added = await run(...add, '--currency', 'EUR', '--json');
  expect(JSON.parse(added.out)).toMatchObject({
    name: 'Zoe',
    email: 'zoe@example.org',
    timeZone: 'Asia/Tokyo',
    currency: 'EUR',
  });
  expect(await run('customer', 'pay-in', customer, '--amount', '100', '--key', customer)).toMatchObject({ code: 0 });
  const id = world.fresh('sub');
  const answer = async (...args: string[]) => JSON.parse((await run(...args, '--json')).out);
  const subscribe = ['subscribe', '--customer', customer, '--plan', 'phone-36', '--id', id];
  expect(await answer(...subscribe, '--time-zone', 'Europe/Vienna')).toMatchObject({
    ...{ subscriptionId: id, customer, plan: { name: 'phone-36' }, timeZone: 'Europe/Vienna' },
  });
  await until(id, ({ periodsPaid }) => periodsPaid === 1);
  const by = ['--by', 'Ada'];
  const changePrice = ['change-price', id, '--price', '12.50', '--from', '5', '--change-id', 'c1', ...by];
  expect(await answer(...changePrice)).toMatchObject({
    kind: 'price',
    price: 1_250,
    from: 5,
    changeId: 'c1',
    by: 'Ada',
  });
  const changePeriod = ['change-period', id, '--period', '2-months', '--from', '6', '--change-id', 'c2', ...by];
  expect(await answer(...changePeriod)).toMatchObject({
    kind: 'period',
    period: { months: 2 },
    from: 6,
    changeId: 'c2',
  });
  const adjust = ['adjust', id, '--debit', '1.25', '--reason', 'a repair', '--reference', 'a1', ...by];
  expect(await answer(...adjust)).toMatchObject({
    reference: 'a1',
    amount: 125,
    direction: 'debit',
    reason: 'a repair',
  });
  const refund = ['refund', id, '--period', '1', '--reason', 'broken', ...by];
  expect(await answer(...refund)).toMatchObject({ period: 1, amount: 2_999, reason: 'broken', by: 'Ada' });
  expect(await answer('cancel', id, ...by)).toMatchObject({ status: 'cancelled', cancellation: { by: 'Ada' } });
  expect(await answer('status', id)).toMatchObject({ status: 'cancelled', totals: { net: 125 } });
  const ledger = await run('ledger', customer, '--subscription', id, '--json');
  expect(ledger.out.split('\n').map((line) => JSON.parse(line).amount)).toEqual([-2_999, -125, 2_999]);
});

it('Ctrl-C while nobody serves the queue: exit code 130, and how to go on', async () => {
  const id = world.fresh('sub');
  const customer = await world.customer();
  vi.stubEnv('TASK_QUEUE', world.fresh('deserted'));
  const others = process.listeners('SIGINT');
  const waiting = run('subscribe', '--customer', customer, '--plan', 'endless', '--id', id);
  await vi.waitFor(
    () => expect(vi.mocked(console.error).mock.calls.join()).toMatch(/^Waiting\. .*start a worker/),
    30_000,
  );
  // The command's own: the worker of this file listens as well, and is to stay.
  for (const stop of process.listeners('SIGINT')) if (!others.includes(stop)) stop('SIGINT');
  const { code, out, err } = await waiting;
  vi.unstubAllEnvs();
  expect(err).toMatch(new RegExp(`\\nNot waited for any longer\\. .*\\n {2}\\S.* status ${id}$`));
  expect({ code, out }).toEqual({ code: 130, out: '' });
});
