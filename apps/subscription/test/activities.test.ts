import { describeEveryActivity, type Faults, faultsAroundActivities } from '@repo/testing';
import { describe, expect, it } from 'vitest';
import type { Activities } from '../src/activities.ts';
import { cancelSignal, refundUpdate } from '../src/contract.ts';
import { timeSkipping } from './time-skipping.ts';
import { monthly } from './world.ts';

const at = await timeSkipping('subscription-activities', { serve: false });
const activities = { charge: {}, refundCharge: {}, settlement: {}, admit: {}, notify: {}, boundary: {} } as const;

/** One that is declined once, refunded and ended, with what ledger and inbox hold afterwards. */
async function aWholeLife() {
  const customer = await at.world.customer({ balance: 1_000 });
  const request = await at.world.aSubscription({ customer, plan: { ...monthly, maxPeriods: 2 } });
  const handle = await at.start(request);
  await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
  await handle.executeUpdate(refundUpdate, { args: [{ period: 1, by: 'Bob' }] });
  await at.world.ledger.freezeAccount({ key: at.world.fresh('freeze'), at: await at.later(), account: customer });
  const { nextCharge } = await at.stateOf(request);
  await at.sleepPast(nextCharge?.at);
  await at.until(request, ({ status }) => status === 'past-due');
  await at.world.ledger.unfreezeAccount({ key: at.world.fresh('unfreeze'), at: await at.later(), account: customer });
  expect(await at.endOf(request)).toMatchObject({ status: 'ended', totals: { charged: 2000, net: 1000 } });
  expect(await at.world.booked(request)).toEqual(['charge 1: 1000', 'refund 1: -1000', 'charge 2: 1000']);
  expect(await at.world.kindsTo(customer)).toEqual(['welcome', 'payment-declined', 'subscription-ended']);
}

describeEveryActivity<Activities>({
  activities,
  createWorker: (activity) => at.worker.create({ interceptors: { activity } }),
  run: aWholeLife,
});

describe('a fault at each activity', () => {
  const withFaults = async (faults: Faults) => {
    const worker = await at.worker.create({ interceptors: { activity: [faultsAroundActivities(faults.reach)] } });
    await worker.runUntil(aWholeLife);
  };
  it('before it, after COMMIT and before the answer, once each', async () => {
    const { faults } = at.world;
    const points = ['before-transaction', 'before-return'] as const;
    const names = ['charge', 'refundCharge', 'settlement', 'admit', 'notify'];
    faults.on(...names.flatMap((of) => points.map((point) => ({ point, of, calls: 1 }))));
    faults.on(
      { point: 'after-commit', of: 'charge', calls: 1 },
      { point: 'after-commit', of: 'refundCharge', calls: 1 },
    );
    await withFaults(faults);
    expect(faults.met.length).toBe(2 * names.length + 2);
  });
});

it('ALL-2 with a replay at each step, all goes the same way', async () => {
  await (await at.worker.create({ maxCachedWorkflows: 0 })).runUntil(async () => {
    await aWholeLife();
    const request = await at.world.aSubscription({ plan: 'endless' });
    await at.start(request);
    await at.env.sleep('100 days');
    await at.handleOf(request).signal(cancelSignal, {});
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', periodsPaid: 1 });
  });
});
