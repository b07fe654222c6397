import { describe, expect, it } from 'vitest';
import { adjustUpdate, cancelSignal, changePriceUpdate, type SubscriptionInput } from '../src/contract.ts';
import { timeSkipping } from './time-skipping.ts';
import { monthly } from './world.ts';

const at = await timeSkipping('subscription-dunning');
const { world, handleOf } = at;

/** One that can pay for so many periods. */
async function poor(periods: number, plan = monthly) {
  const customer = await world.customer({ balance: periods * 1000 });
  const request = await world.aSubscription({ customer, plan });
  await at.start(request);
  return request;
}

/** The state right after the first try for the second period was declined. */
async function declinedOnce(request: SubscriptionInput) {
  const { nextCharge } = await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
  await at.sleepPast(nextCharge?.at);
  return at.until(request, (state) => state.status === 'past-due' && state.nextCharge !== undefined);
}

describe('SUB-8 a declined card', () => {
  it('is tried again over days, and then the subscription ends unpaid', async () => {
    const request = await poor(1);
    expect(await declinedOnce(request)).toMatchObject({
      status: 'past-due',
      period: { number: 2, declined: 1, isPaid: false },
      nextCharge: { period: 2, attempt: 2, amount: 1000 },
    });
    const outcome = await at.endOf(request);
    expect(outcome).toMatchObject({ status: 'unpaid', reason: { type: 'InsufficientFunds' }, totals: { net: 1000 } });
    expect(Date.parse(outcome.endedAt ?? '') - Date.parse(outcome.period?.startsAt ?? '')).toBeGreaterThan(
      8 * 86_400_000 - 1,
    );
    const declined = ['payment-declined', 'payment-declined'];
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', ...declined, 'subscription-unpaid']);
    expect(await world.asked(request.subscriptionId)).toEqual([
      'period:1:attempt:1 done',
      ...[1, 2, 3].map((k) => `period:2:attempt:${k} refused`),
    ]);
  });

  it('that is paid in time goes on as if nothing had been', async () => {
    const request = await poor(1);
    const { period, nextCharge } = await declinedOnce(request);
    await world.payIn(request.customer, 10_000);
    await at.sleepPast(nextCharge?.at);
    expect(await at.until(request, ({ status }) => status === 'active')).toMatchObject({
      status: 'active',
      period: { ...period, declined: 1, isPaid: true },
      nextCharge: { at: period?.endsAt, period: 3, attempt: 1 },
      totals: { charged: 2000 },
    });
    expect(nextCharge).toMatchObject({ attempt: 2 });
    await handleOf(request).signal(cancelSignal, {});
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled' });
    expect(await world.booked(request)).toEqual(['charge 1: 1000', 'charge 2: 1000']);
  });

  it('of one period after another is told of each time', async () => {
    const request = await poor(1, { ...monthly, maxPeriods: 3 });
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    for (const number of [2, 3]) {
      await at.sleepPast((await at.stateOf(request)).nextCharge?.at);
      await at.until(request, (state) => state.status === 'past-due' && state.nextCharge?.period === number);
      await world.payIn(request.customer, 1_000);
      await at.sleepPast((await at.stateOf(request)).nextCharge?.at);
      await at.until(request, ({ periodsPaid }) => periodsPaid === number);
    }
    expect(await at.endOf(request)).toMatchObject({ status: 'ended', totals: { net: 3000 } });
    const declined = ['payment-declined', 'payment-declined'];
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', ...declined, 'subscription-ended']);
  });

  it('that is cancelled meanwhile is not tried again: the period stays unpaid', async () => {
    const request = await poor(1);
    await declinedOnce(request);
    await world.payIn(request.customer, 10_000);
    await handleOf(request).signal(cancelSignal, { requestedAt: await at.later() });
    const outcome = await at.endOf(request);
    expect(outcome).toMatchObject({ status: 'cancelled', period: { number: 2, isPaid: false }, totals: { net: 1000 } });
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'payment-declined', 'subscription-cancelled']);
  });

  it('is charged at the old price, also if that is changed meanwhile', async () => {
    const request = await poor(1, { ...monthly, maxPeriods: 3 });
    await declinedOnce(request);
    const change = await handleOf(request).executeUpdate(changePriceUpdate, { args: [{ price: 1500, by: 'Bob' }] });
    expect(change).toMatchObject({ from: 3, price: 1500 });
    await world.payIn(request.customer, 10_000);
    expect(await at.endOf(request)).toMatchObject({ status: 'ended', totals: { net: 3500 } });
    expect(await world.booked(request)).toEqual(['charge 1: 1000', 'charge 2: 1000', 'charge 3: 1500']);
  });

  it('of a frozen account is one too; what cannot be adjusted is refused with the ledger’s own word', async () => {
    const request = await poor(1, { ...monthly, dunning: [] });
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    const debit = { reference: 'late-fee', amount: 500, direction: 'debit', reason: 'paid late', by: 'Bob' } as const;
    const refused = await handleOf(request)
      .executeUpdate(adjustUpdate, { args: [debit] })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ cause: { type: 'InsufficientFunds' } });
    await world.ledger.freezeAccount({ key: world.fresh('freeze'), at: await at.later(), account: request.customer });
    expect(await at.endOf(request)).toMatchObject({
      status: 'unpaid',
      reason: { type: 'AccountFrozen' },
      adjustments: [],
    });
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'subscription-unpaid']);
  });

  it('is not what a frozen account of the merchant is: the customer is left alone, and it is tried again', async () => {
    const freeze = { at: await at.later(), account: 'merchant-EUR' };
    await world.ledger.freezeAccount({ ...freeze, key: world.fresh('freeze') });
    const request = await poor(3, { ...monthly, maxPeriods: 1, dunning: [] });
    expect(await at.until(request, ({ status }) => status === 'needs-attention')).toMatchObject({
      period: { number: 1, declined: 0, isPaid: false },
      reason: { type: 'AccountFrozen', message: 'Account merchant-EUR is frozen' },
      nextCharge: { period: 1, attempt: 2 },
    });
    await world.ledger.unfreezeAccount({ ...freeze, key: world.fresh('unfreeze') });
    const outcome = await at.endOf(request);
    expect(outcome).toMatchObject({ status: 'ended', totals: { net: 1000 } });
    expect(outcome.reason).toBeUndefined();
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'subscription-ended']);
  });
});
