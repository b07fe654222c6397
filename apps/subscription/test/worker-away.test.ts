import { describe, expect, it } from 'vitest';
import { cancelSignal, changePriceUpdate } from '../src/contract.ts';
import { quick, realServer } from './real-server.ts';

const at = await realServer('subscription-worker-away');
const { world, handleOf } = at;

/** Three periods of a second after the first one. */
const after = (startedAt: string, milliseconds: number) => new Date(Date.parse(startedAt) + milliseconds).toISOString();

async function away(plan: typeof quick, seconds: number, maxPeriods = 6) {
  const request = await world.aSubscription({ plan: { ...plan, maxPeriods } });
  await at.start(request);
  // Not while a charge is on its way: what becomes of that is another test's.
  const { startedAt } = await at.until(
    request,
    ({ period }) => (period?.number ?? 0) > 0 && (period?.isPaid || plan.billing === 'in-arrears'),
  );
  await at.worker.stop();
  await at.past(after(startedAt, seconds * 1000));
  return { request, startedAt };
}

describe('SUB-8 a worker that was away', () => {
  it('for three periods charges each once, in order', async () => {
    const { request } = await away(quick, 4);
    expect((await world.booked(request)).length).toBeLessThan(4);
    await at.worker.start();
    expect(await at.endOf(request)).toMatchObject({ status: 'ended', periodsPaid: 6 });
    expect(await world.booked(request)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `charge ${n}: 100`));
  });

  it.each([
    ['in-advance', 4],
    ['in-arrears', 3],
  ] as const)('%s: charges nothing that was due after a cancellation in between', async (billing, paid) => {
    const { request, startedAt } = await away({ ...quick, billing }, 5);
    const requestedAt = after(startedAt, 3_500);
    await handleOf(request).signal(cancelSignal, { requestedAt });
    await at.worker.start();
    const outcome = await at.endOf(request);
    expect(outcome).toMatchObject({ status: 'cancelled', periodsPaid: paid, endedAt: requestedAt });
    expect(outcome.totals.refunded).toBe(0);
    expect(await world.asked(request.subscriptionId)).toHaveLength(paid);
  });

  it('for the end of the last period finds it ended, if it was cancelled later', async () => {
    const { request, startedAt } = await away(quick, 7);
    await handleOf(request).signal(cancelSignal, { requestedAt: after(startedAt, 6_500) });
    await at.worker.start();
    expect(await at.endOf(request)).toMatchObject({ status: 'ended', periodsPaid: 6 });
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'subscription-ended']);
  });
});

it.each([
  ['before', -1, 0],
  ['after', 1, 100],
] as const)(
  'SUB-8 a try of a declined charge that fell due while no worker was up: cancelled %s it',
  async (_, later, net) => {
    const customer = await world.customer({ balance: 0 });
    const plan = { ...quick, period: { seconds: 3_600 }, dunning: [{ seconds: 2 }, { seconds: 60 }] };
    const request = await world.aSubscription({ customer, plan });
    await at.start(request);
    const { nextCharge } = await at.until(request, (state) => state.status === 'past-due' && !!state.nextCharge);
    await at.worker.stop();
    await world.payIn(customer, 1_000);
    const due = nextCharge?.at ?? '';
    await at.past(after(due, 10));
    await handleOf(request).signal(cancelSignal, { requestedAt: after(due, later) });
    await at.worker.start();
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', totals: { refunded: 0, net } });
  },
);

it('SUB-8 a cancellation without a time that lay there while no worker was up: what began meanwhile is not paid for', async () => {
  const { request } = await away(quick, 4);
  const { length } = await world.booked(request);
  await handleOf(request).signal(cancelSignal);
  await at.worker.start();
  expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', periodsPaid: length, totals: { refunded: 0 } });
});

it('SUB-6 a change of price that is asked for while no worker is up does not hold for what has begun', async () => {
  const { request } = await away(quick, 3, 15);
  const changing = handleOf(request).executeUpdate(changePriceUpdate, { args: [{ price: 150, by: 'Bob' }] });
  await at.worker.start();
  const { from } = await changing;
  const { totals } = await at.endOf(request);
  expect(from).toBeGreaterThan(3);
  expect(totals.net).toBe((from - 1) * 100 + (16 - from) * 150);
});
