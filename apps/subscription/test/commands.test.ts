import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { cancelSignal, stateQuery } from '../src/contract.ts';
import * as changes from '../src/extras/change-commands.ts';
import * as commands from '../src/extras/commands.ts';
import * as customers from '../src/extras/customer-commands.ts';
import { atHand } from './at-hand.ts';
import { answering, saying } from './saying.ts';
import { monthly } from './world.ts';

const { world, worker, until, paid, handleOf } = await atHand('subscription-commands');
const json = true;

it('customers: added again, paid in again, listed, with every entry of the ledger', async () => {
  const id = world.fresh('zoe');
  const add = (options: object) => customers.addCommand(id, { json, ...options });
  expect(await answering(() => add({ name: 'Zoe', timeZone: 'Europe/Vienna' }))).toMatchObject({
    code: 0,
    answer: { id, name: 'Zoe', email: `${id}@example.com`, account: id, timeZone: 'Europe/Vienna', currency: 'EUR' },
  });
  expect(await answering(() => add({ name: 'Zoë' }))).toMatchObject({
    code: 0,
    answer: { name: 'Zoë', timeZone: 'UTC' },
  });
  expect(await answering(() => add({ currency: 'USD' }))).toMatchObject({
    code: 1,
    answer: { status: 'refused', reason: { type: 'LedgerMismatch' } },
  });
  const payIn = (options: object) => customers.payInCommand(id, options);
  const once = { amount: '10.01', key: id };
  expect(await saying(() => payIn(once))).toEqual({
    code: 0,
    out: `10.01 EUR from outside has reached ${id}.`,
    err: '',
  });
  expect(await saying(() => payIn(once))).toMatchObject({ code: 0, out: expect.stringMatching(/nothing was done\.$/) });
  expect(await saying(() => payIn({ amount: '10.001' }))).toMatchObject({
    code: 2,
    err: 'amount: must have at most 2 decimals in EUR',
  });
  const { out } = await saying(() => customers.listCommand({}));
  expect(out).toMatch(new RegExp(`^${id} +10\\.01 EUR  UTC +${id}@example\\.com$`, 'm'));
  expect(await answering(() => customers.ledgerCommand(id, { json }))).toMatchObject({
    code: 0,
    answer: { kind: 'pay-in', amount: 1_001, balance: 1_001, currency: 'EUR' },
  });
  for (const command of [
    () => customers.payInCommand('nobody', { amount: '1' }),
    () => customers.ledgerCommand('nobody', {}),
  ]) {
    expect(await saying(command)).toEqual({ code: 1, out: '', err: 'Refused: There is no customer nobody.' });
  }
});

it('subscribe: stands, is found again, is refused with other details, and without a customer or a plan', async () => {
  const customer = await world.customer();
  const subscribe = (options: object) => commands.subscribeCommand({ customer, plan: 'phone-36', ...options });
  const id = `${customer}-phone-36`;
  const stands = new RegExp(
    `^Subscription ${id} of ${customer} is active; phone-36: 29\\.99 EUR every 1 month, 36 times`,
  );
  for (const _ of ['the first time', 'again']) {
    // On a slow machine it says meanwhile that it is waiting.
    expect(await saying(() => subscribe({}))).toMatchObject({ code: 0, out: expect.stringMatching(stands) });
  }
  expect(await saying(() => changes.cancelCommand(id, {}))).toMatchObject({ code: 0 });
  expect(await saying(() => subscribe({}))).toMatchObject({
    code: 0,
    out: expect.stringMatching(new RegExp(`was cancelled; .*\\n  An id is used once\\. .*: --id ${id}-2\\n`)),
  });
  expect(await saying(() => subscribe({ plan: 'endless', id }))).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(`plan: subscription ${id} exists with other details$`),
  });
  expect(await saying(() => subscribe({ customer: 'nobody', id: world.fresh('sub') }))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/is refused, and nothing was written: customer: there is no customer nobody\.\n/),
  });
  expect(await answering(() => subscribe({ plan: 'phone-37', id: world.fresh('sub'), json }))).toMatchObject({
    code: 1,
    answer: {
      status: 'refused',
      reason: { type: 'UnknownPlan', message: expect.stringMatching(/phone-36, endless$/) },
    },
  });
  expect(await world.kindsTo('nobody')).toEqual([]);
});

it('subscribe: what was refused is begun anew once the cause is mended', async () => {
  const id = world.fresh('sub');
  const customer = await world.customer();
  const subscribe = (plan: string) => commands.subscribeCommand({ customer, plan, id });
  expect(await saying(() => subscribe('phone-37'))).toMatchObject({ code: 1 });
  for (const _ of ['the first time', 'again']) {
    expect(await saying(() => subscribe('phone-36'))).toMatchObject({
      code: 0,
      out: expect.stringContaining(' is active'),
    });
  }
});

it('a plan of one’s own, from a file; what is wrong with it is said by its field', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plans-'));
  const planFile = join(folder, 'plan.json');
  const customer = await world.customer();
  const subscribe = async (plan: object) => {
    await writeFile(planFile, JSON.stringify(plan));
    return saying(() => commands.subscribeCommand({ customer, planFile, json }));
  };
  const { price: _, ...unpriced } = monthly;
  const wrong = await subscribe({ ...unpriced, period: { months: 0 }, maxPeriods: 1.5, colour: 'red' });
  expect(wrong).toMatchObject({ code: 2, out: '' });
  expect(wrong.err.split('\n')).toEqual([
    'plan.period.months: must be at least 1',
    'plan.price: is missing',
    'plan.maxPeriods: must be a whole number',
    'plan.colour: is not known here',
  ]);
  const { code, out } = await subscribe(monthly);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ subscriptionId: `${customer}-monthly`, plan: monthly, price: 1_000 });
  await rm(folder, { recursive: true });
  expect(await saying(() => commands.subscribeCommand({ customer, planFile }))).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^planFile: cannot be read: ENOENT/),
  });
});

it('changes, adjustments, a refund and the end, as the page and the ledger show them', async () => {
  const { subscriptionId: id, customer } = await paid({ customer: await world.customer({ balance: 10_000 }) });
  const by = 'Ada';
  const price = (options: object) => changes.changePriceCommand(id, { price: '12.50', by, ...options });
  expect(await saying(() => price({ changeId: 'raise' }))).toEqual({
    code: 0,
    out: `Subscription ${id}: from period 2 on: 12.50 EUR each.`,
    err: '',
  });
  expect(await answering(() => price({ changeId: 'raise', json }))).toMatchObject({
    code: 0,
    answer: { price: 1_250, from: 2 },
  });
  expect(await saying(() => price({ changeId: 'raise', price: '13' }))).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^changeId: there is a change raise with other details$/),
  });
  expect(await saying(() => price({ from: '1' }))).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^from: period 1/),
  });
  expect(await saying(() => price({ price: '12.505' }))).toMatchObject({
    code: 2,
    err: 'price: must have at most 2 decimals in EUR',
  });
  expect(await saying(() => changes.changePeriodCommand(id, { period: '30-days', from: '3', by }))).toMatchObject({
    code: 0,
    out: `Subscription ${id}: from period 3 on: 30 days each.`,
  });

  const adjust = (options: object) =>
    changes.adjustCommand(id, { reason: 'a bad line', reference: 'a1', by, ...options });
  const credited = { code: 0, out: `The customer of ${id} was given 5.00 EUR (a1).`, err: '' };
  for (const _ of ['the first time', 'again']) expect(await saying(() => adjust({ credit: '5' }))).toEqual(credited);
  expect(await saying(() => adjust({ debit: '100000', reference: 'a2' }))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^Refused: Account \S+ has not enough funds\.$/),
  });
  expect(await answering(() => adjust({ debit: '2.50', reference: 'a3', json }))).toMatchObject({
    code: 0,
    answer: { direction: 'debit', amount: 250 },
  });

  const refund = (period: string) => changes.refundCommand(id, { period, by });
  const refunded = { code: 0, out: `Period 1 of ${id} was given back: 10.00 EUR.`, err: '' };
  for (const _ of ['the first time', 'again']) expect(await saying(() => refund('1'))).toEqual(refunded);
  expect(await saying(() => refund('2'))).toMatchObject({ code: 2, err: expect.stringMatching(/2/) });

  const page = await saying(() => commands.statusCommand(id, {}));
  expect(page).toMatchObject({ code: 0, err: '' });
  expect(page.out).toMatch(
    /^ {2}Charged 10\.00 EUR for 1 period, refunded 10\.00 EUR, credited 5\.00 EUR, debited 2\.50 EUR: /m,
  );
  expect(page.out).toMatch(/^ {2}Next charge: 12\.50 EUR at .* for period 2$/m);

  const cancel = () => changes.cancelCommand(id, { by });
  const cancelled = { code: 0, out: `Subscription ${id} was cancelled; paid in all: -2.50 EUR.`, err: '' };
  for (const _ of ['the first time', 'again']) expect(await saying(cancel)).toEqual(cancelled);
  await handleOf({ subscriptionId: id }).result();
  for (const command of [() => price({}), () => adjust({ credit: '1', reference: 'a4' }), () => refund('1')]) {
    expect(await saying(command)).toEqual({ code: 2, out: '', err: `subscription ${id} is cancelled` });
  }
  expect(await answering(() => commands.statusCommand(id, { json }))).toMatchObject({
    code: 0,
    answer: { status: 'cancelled', totals: { net: -250 }, disagrees: [] },
  });
  expect(await world.booked({ subscriptionId: id, customer })).toEqual([
    'charge 1: 1000',
    'adjustment: -500',
    'adjustment: 250',
    'refund 1: -1000',
  ]);
  expect(await world.kindsTo(customer)).toEqual(['welcome', 'subscription-cancelled']);
  const { out } = await saying(() => customers.ledgerCommand(customer, { subscription: id }));
  expect(out.split('\n')).toHaveLength(4);
});

it('status of one that is over, when the ledger has something else: exit code 3', async () => {
  const { subscriptionId: id, customer } = await paid({ plan: { ...monthly, maxPeriods: 1, period: { seconds: 1 } } });
  await until(id, ({ status }) => status === 'ended');
  expect(await saying(() => commands.statusCommand(id, {}))).toMatchObject({ code: 0 });
  const at = new Date().toISOString();
  const key = `subscription:${id}:adjustment:by-hand`;
  await world.ledger.charge({ key, at, from: customer, to: 'merchant-EUR', amount: 1, currency: 'EUR' });
  expect(await saying(() => commands.statusCommand(id, {}))).toMatchObject({
    code: 3,
    out: expect.stringMatching(/^The ledger does not agree: /m),
  });
});

it('list: by status and plan, the newest first', async () => {
  const { subscriptionId: id } = await paid({ plan: { ...monthly, name: world.fresh('plan') } });
  const plan = (await until(id, () => true)).plan as { name: string };
  await vi.waitFor(async () => {
    const { out } = await saying(() => commands.listCommand({ status: 'active', plan: plan.name }));
    expect(out).toMatch(new RegExp(`^${id} +active +${plan.name}`));
  }, 15_000);
  expect(await saying(() => commands.listCommand({ status: 'unpaid', plan: plan.name }))).toMatchObject({
    code: 0,
    out: 'No subscriptions.',
  });
});

it('without a worker: what is known, and a cancellation that is recorded all the same', async () => {
  const request = await paid();
  const { subscriptionId: id } = request;
  await worker.stop();
  const before = new Date().toISOString();
  const [status, cancelled] = await Promise.all([
    commands.statusCommand(id, {}).catch((error: unknown) => error),
    changes.cancelCommand(id, { by: 'Ada' }).catch((error: unknown) => error),
  ]).finally(worker.start);
  expect(status).toMatchObject({ message: expect.stringMatching(/is active; nobody serves task queue/) });
  expect(cancelled).toMatchObject({ message: expect.stringMatching(/^Nobody has answered .* It may be recorded/) });
  const outcome = await handleOf(request).result();
  expect(outcome).toMatchObject({ status: 'cancelled', cancellation: { by: 'Ada' }, totals: { net: 1_000 } });
  expect((outcome.cancellation?.requestedAt ?? '') >= before).toBe(true);
  expect(await saying(() => commands.statusCommand('never-was', {}))).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^There is no subscription never-was\.\n→ They are listed by: .* list$/),
  });
});

it('what can never be given back: cancelled at once, said what is pending, settled by hand', async () => {
  const customer = await world.customer({ balance: 1_000 });
  const { subscriptionId: id } = await paid({ customer });
  const settle = (options: object = {}) =>
    changes.resolveCommand(id, { period: '1', how: 'paid-out', note: 'in cash', by: 'Ada', ...options });
  expect(await saying(() => settle({ how: 'somehow' }))).toMatchObject({
    code: 2,
    err: 'how: must be paid-out or waived',
  });
  expect(await saying(settle)).toMatchObject({ code: 2, err: 'period: nothing of period 1 waits for a person' });
  await world.ledger.closeAccount({ key: world.fresh('close'), at: new Date().toISOString(), account: customer });
  const { startedAt: requestedAt } = await handleOf({ subscriptionId: id }).query(stateQuery);
  await handleOf({ subscriptionId: id }).signal(cancelSignal, { requestedAt });
  await until(id, ({ status }) => status === 'needs-attention');
  const { code, out } = await saying(() => changes.cancelCommand(id, {}));
  expect({ code, lines: out.split('\n') }).toEqual({
    code: 0,
    lines: [
      expect.stringMatching(`^Subscription ${id} is cancelled, as of .* UTC; it is over once nothing is owed any more`),
      expect.stringMatching(`The charge of period 1 is to be given back, and the ledger refuses: .* is closed$`),
      expect.stringMatching(`refund ${id} --period 1$`),
      expect.stringMatching(`resolve ${id} --period 1 --how paid-out --note`),
    ],
  });
  expect(await saying(settle)).toMatchObject({
    code: 0,
    out: `Period 1 of ${id} was paid out past the ledger: 10.00 EUR. The ledger has it as charged.`,
  });
  await handleOf({ subscriptionId: id }).result();
  const { out: page, code: agrees } = await saying(() => commands.statusCommand(id, {}));
  expect(agrees).toBe(0);
  expect(page).toMatch(/^ {2}Period 1 was paid out past the ledger by Ada: 10\.00 EUR; in cash$/m);
  expect(page).toMatch(/^ {2}Charged 10\.00 EUR for 1 period: 10\.00 EUR in all$/m);
  expect(await saying(settle)).toMatchObject({ code: 2, err: `subscription ${id} is cancelled` });
});
