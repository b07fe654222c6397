import { describe, expect, it } from 'vitest';
import { catalogue, changePeriodUpdate, planAttribute, statusAttribute } from '../src/contract.ts';
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

it('SUB-8 who signs up on the 31st pays on the last day of short months, also after a trial and a change of period', async () => {
  const year = new Date(await at.later(31 * day)).getUTCFullYear() + 1;
  await at.env.sleep(Date.parse(`${year}-01-31T12:00:00.000Z`) - Date.parse(await at.later()));
  const plan = { ...monthly, trial: { months: 1 }, maxPeriods: 4 };
  const request = await world.aSubscription({ plan, eventsPerRun: 1 });
  await at.start(request);
  await at.until(request, ({ status }) => status === 'trial');
  const change = { period: { months: 2 }, from: 3, by: 'Bob' };
  await handleOf(request).executeUpdate(changePeriodUpdate, { args: [change] });
  const ends: string[] = [];
  for (const number of [0, 1, 2, 3, 4]) {
    const { period, nextCharge } = await at.until(
      request,
      (state) => state.period?.number === number && (number === 0 || state.period.isPaid),
    );
    ends.push(period?.endsAt.slice(5, 10) ?? '');
    if (number < 4) await at.sleepPast(nextCharge?.at);
  }
  const february = new Date(Date.UTC(year, 2, 0)).getUTCDate();
  expect(ends).toEqual([`02-${february}`, '03-31', '04-30', '06-30', '08-31']);
  expect(await at.endOf(request)).toMatchObject({ status: 'ended', periodsPaid: 4 });
});

describe('SUB-5 the end', () => {
  it('comes after 36 months of a phone', async () => {
    const request = await world.aSubscription({ plan: 'phone-36' });
    await at.start(request);
    const began = performance.now();
    const outcome = await at.endOf(request);
    console.log(`3 years: ${performance.now() - began} ms`);
    expect(outcome).toMatchObject({ status: 'ended', periodsPaid: 36, totals: { charged: 36 * 2999 } });
    expect(Date.parse(outcome.endedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(outcome.startedAt) + 1_095 * day);
  });
});
