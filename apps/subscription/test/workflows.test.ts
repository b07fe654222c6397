import { describe, expect, it } from 'vitest';
import { catalogue, planAttribute, statusAttribute } from '../src/contract.ts';
import { day, timeSkipping } from './time-skipping.ts';
import { monthly } from './world.ts';

const at = await timeSkipping('subscription-workflows');
const { world, handleOf } = at;

describe('SUB-1 sign-up', () => {
  it('sends the welcome e-mail and begins with a free trial', async () => {
    const request = await world.aSubscription({ plan: 'endless', customer: await world.customer({ balance: 0 }) });
    const handle = await at.start(request);
    const state = await handle.executeUpdate('subscribed', { args: [request] });
    expect(state).toMatchObject({ status: 'trial', period: { number: 0 }, plan: catalogue.endless, price: 999 });
    await at.env.sleep('59 days');
    expect(await at.stateOf(request)).toMatchObject({
      status: 'trial',
      totals: { net: 0 },
      nextCharge: { period: 1, amount: 999 },
    });
    expect(await world.kindsTo(request.customer)).toEqual(['welcome']);
    const { typedSearchAttributes } = await handle.describe();
    expect(typedSearchAttributes.get(statusAttribute)).toBe('trial');
    expect(typedSearchAttributes.get(planAttribute)).toBe('endless');
    await handle.signal('cancel', { requestedAt: await at.later() });
    expect(await at.endOf(request)).toMatchObject({ status: 'trial-cancelled', totals: { net: 0 } });
  });
});

describe('SUB-2 billing', () => {
  it('in advance: charges, and then waits', async () => {
    const request = await world.aSubscription({ plan: { ...monthly, maxPeriods: 2 } });
    await at.start(request);
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    await at.env.sleep('20 days');
    expect(await at.stateOf(request)).toMatchObject({
      status: 'active',
      period: { number: 1, isPaid: true, price: 1000 },
      totals: { charged: 1000 },
      nextCharge: { period: 2, amount: 1000, attempt: 1 },
    });
    expect(await at.endOf(request)).toMatchObject({ status: 'ended', totals: { charged: 2000, net: 2000 } });
    expect(await world.booked(request)).toEqual(['charge 1: 1000', 'charge 2: 1000']);
    expect(await world.asked(request.subscriptionId)).toEqual(['period:1:attempt:1 done', 'period:2:attempt:1 done']);
  });

  it('in arrears: waits, and then charges', async () => {
    const request = await world.aSubscription({ plan: 'endless' });
    await at.start(request);
    await at.env.sleep('61 days');
    expect(await at.stateOf(request)).toMatchObject({ status: 'active', period: { number: 1 }, totals: { net: 0 } });
    await at.env.sleep('30 days');
    expect(await at.stateOf(request)).toMatchObject({ period: { number: 2 }, totals: { charged: 999 } });
    await handleOf(request).signal('cancel', {});
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', totals: { net: 999 }, periodsPaid: 1 });
  });
});

describe('SUB-5 the end', () => {
  it('comes after 36 months of a phone', async () => {
    const request = await world.aSubscription({ plan: 'phone-36' });
    await at.start(request);
    const began = performance.now();
    const outcome = await at.endOf(request);
    console.log(`3 years: ${performance.now() - began} ms`);
    expect(outcome).toMatchObject({ status: 'ended', periodsPaid: 36, totals: { charged: 36 * 2999 } });
    expect(Date.parse(outcome.endedAt ?? '')).toBeGreaterThan(Date.parse(outcome.startedAt) + 1_095 * day);
  });
});
