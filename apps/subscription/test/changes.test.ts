import { describe, expect, it } from 'vitest';
import * as contract from '../src/contract.ts';
import { timeSkipping } from './time-skipping.ts';
import { monthly } from './world.ts';

const at = await timeSkipping('subscription-changes');
const { world, handleOf } = at;

const started = async (changes: Partial<contract.SubscriptionInput> = {}) => {
  const request = await world.aSubscription({ plan: { ...monthly, maxPeriods: 4 }, ...changes });
  const handle = await at.start(request);
  await handle.executeUpdate(contract.subscribedUpdate, { args: [request] });
  await at.until(request, ({ period, status }) => period?.isPaid === true || status === 'trial');
  return { request, handle };
};
type Update = 'changePrice' | 'changePeriod' | 'adjust' | 'refund' | 'resolve' | 'cancel' | 'subscribed';
/** What it was refused with, as `type: message`; `accepted` if it was not. */
const refusalOf = (request: contract.SubscriptionInput, update: Update, input: unknown): Promise<string> =>
  handleOf(request)
    .executeUpdate(update as string, { args: [input] as never })
    .then(
      () => 'accepted',
      (error: { cause?: { type?: string; message?: string } }) => `${error.cause?.type}: ${error.cause?.message}`,
    );

describe('SUB-6 a change of price', () => {
  it('holds from the next period on, or from the one that is named', async () => {
    const { request, handle } = await started();
    const next = await handle.executeUpdate(contract.changePriceUpdate, { args: [{ price: 1200, by: 'Bob' }] });
    expect(next).toMatchObject({ kind: 'price', from: 2, price: 1200, by: 'Bob' });
    await handle.executeUpdate(contract.changePriceUpdate, { args: [{ price: 500, from: 4, by: 'Bob' }] });
    expect(await at.stateOf(request)).toMatchObject({ price: 1200, nextCharge: { amount: 1200 }, changes: [{}, {}] });
    expect(await at.endOf(request)).toMatchObject({ totals: { net: 1000 + 1200 + 1200 + 500 } });
  });

  it('is made once under its id, and refused with other details', async () => {
    const { request, handle } = await started();
    const change = { price: 1200, changeId: 'spring', by: 'Bob' };
    const first = await handle.executeUpdate(contract.changePriceUpdate, { args: [change] });
    expect(await handle.executeUpdate(contract.changePriceUpdate, { args: [change] })).toEqual(first);
    const other = { ...change, price: 1300 };
    expect(await refusalOf(request, 'changePrice', other)).toMatch(/^ChangeMismatch: changeId: /);
    expect((await at.stateOf(request)).changes).toEqual([first]);
    await handle.signal(contract.cancelSignal, {});
    await at.endOf(request);
  });

  it('is refused for a period that has begun or never will, and after a cancellation', async () => {
    const { request, handle } = await started();
    const ask = (from: number) => refusalOf(request, 'changePrice', { price: 1, from, by: 'Bob' });
    expect(await ask(1)).toBe('NoSuchPeriod: from: period 1 has begun; the next one is 2');
    expect(await ask(5)).toBe('NoSuchPeriod: from: period 5 never begins: there are 4');
    world.inbox.setFault({ kind: 'busy' });
    await handle.executeUpdate(contract.cancelUpdate, { args: [{}] });
    expect(await ask(2)).toMatch(/^SubscriptionOver: .* is cancelled$/);
    const credit = { reference: 'late', amount: 1, direction: 'credit', reason: 'r', by: 'Bob' };
    expect(await refusalOf(request, 'adjust', credit)).toMatch(/^SubscriptionOver: .* is cancelled$/);
    world.inbox.setFault(undefined);
    expect((await at.endOf(request)).changes).toEqual([]);
  });
});

describe('SUB-6 a change of period', () => {
  it('begins with the next period, whose beginning is what later ones are counted from', async () => {
    const { request, handle } = await started();
    const change = { period: { days: 10 }, from: 3, by: 'Bob' };
    await handle.executeUpdate(contract.changePeriodUpdate, { args: [change] });
    const lengths: number[] = [];
    for (const number of [2, 3, 4]) {
      const { nextCharge } = await at.stateOf(request);
      await at.sleepPast(nextCharge?.at);
      const { period } = await at.until(request, (state) => state.period?.number === number && state.period.isPaid);
      lengths.push((Date.parse(period?.endsAt ?? '') - Date.parse(period?.startsAt ?? '')) / 86_400_000);
    }
    expect(lengths[0]).toBeGreaterThanOrEqual(28);
    expect(lengths.slice(1)).toEqual([10, 10]);
    expect(await at.endOf(request)).toMatchObject({ status: 'ended', periodsPaid: 4 });
  });

  it('in the trial moves the first charge, in arrears', async () => {
    const plan = { ...monthly, trial: { days: 60 }, billing: 'in-arrears', period: { days: 30 } } as const;
    const { request, handle } = await started({ plan });
    const { nextCharge, period } = await at.stateOf(request);
    const daysAfter = (time = '') => (Date.parse(time) - Date.parse(period?.endsAt ?? '')) / 86_400_000;
    expect(daysAfter(nextCharge?.at)).toBe(30);
    await handle.executeUpdate(contract.changePeriodUpdate, { args: [{ period: { days: 7 }, by: 'Bob' }] });
    expect(daysAfter((await at.stateOf(request)).nextCharge?.at)).toBe(7);
    await at.env.sleep('68 days');
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    await handle.signal(contract.cancelSignal, {});
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', periodsPaid: 1 });
  });
});

describe('SUB-6 adjustments and refunds', () => {
  it('are booked once, shown, and part of the totals', async () => {
    const { request, handle } = await started();
    const credit = { reference: 'sorry', amount: 300, direction: 'credit', reason: 'no signal', by: 'Bob' } as const;
    const debit = { reference: 'visit', amount: 50, direction: 'debit', reason: 'a visit', by: 'Bob' } as const;
    const ask = (adjustment: contract.Adjust) => handle.executeUpdate(contract.adjustUpdate, { args: [adjustment] });
    const first = await ask(credit);
    expect(await ask(credit)).toEqual(first);
    await ask(debit);
    expect(await refusalOf(request, 'adjust', { ...credit, amount: 301 })).toBe(
      `ChangeMismatch: amount: there is an adjustment sorry with other details`,
    );
    const refund = { period: 1, by: 'Bob' };
    const given = await handle.executeUpdate(contract.refundUpdate, { args: [refund] });
    expect(given).toMatchObject({ period: 1, amount: 1000, reason: 'refund', by: 'Bob' });
    expect(await handle.executeUpdate(contract.refundUpdate, { args: [{ ...refund, by: 'Eve' }] })).toEqual(given);
    expect(await refusalOf(request, 'refund', { period: 2, by: 'Bob' })).toBe(
      'NothingToRefund: period: 2 has not begun',
    );
    expect(await at.endOf(request)).toMatchObject({
      totals: { charged: 4000, refunded: 1000, credited: 300, debited: 50, net: 2750 },
      adjustments: [credit, debit],
    });
    expect(await world.booked(request)).toEqual(
      expect.arrayContaining(['adjustment: -300', 'adjustment: 50', 'refund 1: -1000']),
    );
  });

  it('a refund that the ledger refuses can be asked for again, once that is mended', async () => {
    const { request, handle } = await started();
    const freeze = { at: await at.later(), account: request.customer };
    await world.ledger.freezeAccount({ ...freeze, key: world.fresh('freeze') });
    expect(await refusalOf(request, 'refund', { period: 1, by: 'Bob' })).toMatch(/^AccountFrozen: /);
    await world.ledger.unfreezeAccount({ ...freeze, key: world.fresh('unfreeze') });
    expect(await refusalOf(request, 'refund', { period: 1, by: 'Bob' })).toBe('accepted');
    expect(await world.asked(request.subscriptionId)).toEqual([
      'period:1:attempt:1 done',
      'period:1:refund refused',
      'period:1:refund:2 done',
    ]);
    await handle.signal(contract.cancelSignal, {});
    await at.endOf(request);
  });

  it('a cancellation whose charge cannot be given back waits for a person', async () => {
    const { request, handle } = await started();
    const { startedAt } = await at.stateOf(request);
    const freeze = { at: await at.later(), account: request.customer };
    await world.ledger.freezeAccount({ ...freeze, key: world.fresh('freeze') });
    await handle.signal(contract.cancelSignal, { requestedAt: startedAt });
    const stuck = await at.until(request, ({ status }) => status === 'needs-attention');
    expect(stuck).toMatchObject({ owed: [{ period: 1, type: 'AccountFrozen' }] });
    await world.ledger.unfreezeAccount({ ...freeze, key: world.fresh('unfreeze') });
    expect(await refusalOf(request, 'refund', { period: 1, by: 'Bob' })).toBe('accepted');
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', owed: [], totals: { net: 0 } });
  });

  it('one that can never be given back is settled by hand, and whoever cancelled did not wait for it', async () => {
    const customer = await world.customer({ balance: 1_000 });
    const { request, handle } = await started({ customer });
    const { startedAt } = await at.stateOf(request);
    const settle = { period: 1, how: 'paid-out', note: 'in cash, receipt 7', by: 'Bob' } as const;
    expect(await refusalOf(request, 'resolve', settle)).toBe(
      'NothingToResolve: period: nothing of period 1 waits for a person',
    );
    await world.ledger.closeAccount({ key: world.fresh('close'), at: await at.later(), account: customer });
    await at.until(request, ({ mails }) => mails.pending.length === 0);
    // Or it were over before it can be asked again.
    world.inbox.setFault({ kind: 'busy' });
    const cancelled = await handle.executeUpdate(contract.cancelUpdate, { args: [{ requestedAt: startedAt }] });
    expect(cancelled).toMatchObject({ endedAt: startedAt, owed: [{ period: 1 }], totals: { refunded: 0 } });
    const stuck = await at.until(request, ({ status }) => status === 'needs-attention');
    expect(stuck).toMatchObject({ owed: [{ period: 1, type: 'AccountClosed' }] });
    expect(await refusalOf(request, 'refund', { period: 1, by: 'Bob' })).toMatch(/^AccountClosed: /);
    // Asked for again, it does not wait either.
    expect(await handle.executeUpdate(contract.cancelUpdate, { args: [{}] })).toMatchObject({ owed: stuck.owed });
    expect(await refusalOf(request, 'resolve', { ...settle, period: 2 })).toMatch(/^NothingToResolve: period: /);
    const resolved = await handle.executeUpdate(contract.resolveUpdate, { args: [settle] });
    expect(resolved).toMatchObject({ ...settle, amount: 1000 });
    expect(await handle.executeUpdate(contract.resolveUpdate, { args: [settle] })).toEqual(resolved);
    expect(await refusalOf(request, 'resolve', { ...settle, how: 'waived' })).toBe(
      'ChangeMismatch: how: period 1 was settled by hand with other details',
    );
    world.inbox.setFault(undefined);
    expect(await at.endOf(request)).toMatchObject({
      status: 'cancelled',
      owed: [],
      resolved: [resolved],
      totals: { charged: 1000, refunded: 0, net: 1000 },
    });
    expect(await world.kindsTo(customer)).toEqual(['welcome', 'subscription-cancelled']);
  });
});

describe('bad input is refused by field, and changes nothing', () => {
  it.each([
    ['changePrice', { price: 0, by: 'Bob' }, /^price: must be more than zero$/],
    ['changePrice', { price: -1, by: 'Bob' }, /^price: must be more than zero$/],
    ['changePrice', { price: 1e21, by: 'Bob' }, /^price: must be a whole number/],
    ['changePrice', { price: 9.99, by: 'Bob' }, /^price: must be a whole number/],
    ['changePrice', { price: '5', by: 'Bob' }, /^price: must be a whole number/],
    ['changePrice', { price: 5 }, /^by: must be text$/],
    ['changePrice', { price: 5, by: 'a\nb' }, /^by: must not contain control characters$/],
    ['changePrice', undefined, /^input: /],
    ['changePeriod', { period: { months: 0 }, by: 'Bob' }, /^period.months: must be at least 1$/],
    ['changePeriod', { period: { days: -1 }, by: 'Bob' }, /^period.days: must be at least 1$/],
    ['changePeriod', { period: { months: 120_000 }, by: 'Bob' }, /^period.months: must be at most 120, ten years$/],
    ['changePeriod', { period: { years: 1 }, by: 'Bob' }, /^period: must be one of/],
    ['changePeriod', { period: { months: 1, days: 1 }, by: 'Bob' }, /^period: must be one of/],
    ['adjust', { reference: 'r', amount: 1, direction: 'up', reason: 'r', by: 'b' }, /^direction: must be credit or/],
    ['adjust', { reference: '', amount: 1, direction: 'debit', reason: 'r', by: 'b' }, /^reference: must be 1 to 64/],
    ['refund', { period: 0, by: 'b' }, /^period: must be at least 1$/],
    ['resolve', { period: 1, how: 'somehow', note: 'n', by: 'b' }, /^how: must be paid-out or waived$/],
    ['resolve', { period: 1, how: 'waived', note: '', by: 'b' }, /^note: must not be empty$/],
    [
      'cancel',
      { requestedAt: 'today' },
      /^requestedAt: must be a time such as 2027-03-20T09:30:00Z or 2027-03-20T10:30:00\+01:00$/,
    ],
    ['subscribed', { subscriptionId: 'x' }, /^customer: must be text; plan: /],
  ] as const)('%s %j', async (update, input, message) => {
    const request = await world.aSubscription();
    const handle = await at.start(request);
    await handle.executeUpdate(contract.subscribedUpdate, { args: [request] });
    const refusal = await refusalOf(request, update, input);
    expect(refusal).toMatch(/^InvalidSubscription: /);
    expect(refusal.replace('InvalidSubscription: ', '')).toMatch(message);
    await handle.signal(contract.cancelSignal, {});
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', changes: [], adjustments: [], refunds: [] });
  });
});
