import { describe, expect, it } from 'vitest';
import { cancelSignal, cancelUpdate, type SubscriptionInput } from '../src/contract.ts';
import { day, timeSkipping } from './time-skipping.ts';
import { monthly } from './world.ts';

const at = await timeSkipping('subscription-cancelling');
const { world, handleOf } = at;

const started = async (changes: Partial<SubscriptionInput> = {}): Promise<SubscriptionInput> => {
  const request = await world.aSubscription(changes);
  await at.start(request);
  return request;
};
const withTrial = { ...monthly, trial: { days: 60 } } as const;

describe('SUB-3 in the trial', () => {
  it('sends the trial-cancellation e-mail, and charges nothing', async () => {
    const request = await started({ plan: withTrial });
    await at.env.sleep('30 days');
    const outcome = await handleOf(request).executeUpdate(cancelUpdate, { args: [{ by: 'Ada' }] });
    expect(outcome).toMatchObject({ status: 'trial-cancelled', cancellation: { by: 'Ada' }, totals: { net: 0 } });
    expect(await at.endOf(request)).toMatchObject({ status: 'trial-cancelled', endedAt: outcome.endedAt });
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'trial-cancelled']);
    expect(await world.asked(request.subscriptionId)).toEqual([]);
  });

  it('asked for in the trial and heard of after it, it takes the charge back', async () => {
    const request = await started({ plan: withTrial });
    const requestedAt = await at.later(59 * day);
    await at.env.sleep('62 days');
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    await handleOf(request).signal(cancelSignal, { requestedAt });
    expect(await at.endOf(request)).toMatchObject({
      status: 'trial-cancelled',
      totals: { charged: 1000, refunded: 1000, net: 0 },
      cancellation: { requestedAt, effectiveAt: requestedAt },
    });
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'trial-cancelled']);
  });
});

describe('SUB-8 at the very instant', () => {
  it('at which the trial is over, it is a cancellation in the trial', async () => {
    const request = await started({ plan: withTrial });
    await at.env.sleep('62 days');
    const { period } = await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    const requestedAt = period?.startsAt ?? '';
    await handleOf(request).signal(cancelSignal, { requestedAt });
    expect(await at.endOf(request)).toMatchObject({
      status: 'trial-cancelled',
      endedAt: requestedAt,
      totals: { net: 0 },
    });
  });

  it('at which a charge is due, it takes that back, and a millisecond later not', async () => {
    for (const [later, net] of [
      [0, 1000],
      [1, 2000],
    ] as const) {
      const request = await started();
      await at.env.sleep('35 days');
      const { period } = await at.until(request, ({ periodsPaid }) => periodsPaid === 2);
      const requestedAt = new Date(Date.parse(period?.startsAt ?? '') + later).toISOString();
      await handleOf(request).signal(cancelSignal, { requestedAt });
      expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', endedAt: requestedAt, totals: { net } });
    }
  });
});

describe('SUB-4 in a billing period', () => {
  it('sends the cancellation e-mail at once, and not at the end of the period', async () => {
    const request = await started();
    await at.env.sleep('10 days');
    const requestedAt = await at.later();
    await handleOf(request).signal(cancelSignal, { requestedAt });
    await at.until(request, ({ status, mails }) => status === 'cancelled' && mails.pending.length === 0);
    expect(Date.parse(await at.later())).toBeLessThan(Date.parse(requestedAt) + day);
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'subscription-cancelled']);
    const outcome = await at.endOf(request);
    expect(outcome).toMatchObject({ status: 'cancelled', endedAt: requestedAt, totals: { net: 1000 } });
  });

  it('in arrears: a period that is not over is not charged', async () => {
    const request = await started({ plan: { ...withTrial, billing: 'in-arrears' } });
    await at.env.sleep('100 days');
    await handleOf(request).signal(cancelSignal, {});
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', periodsPaid: 1, totals: { net: 1000 } });
  });

  it('in the last period it is a cancellation, and not the end', async () => {
    const request = await started({ plan: { ...monthly, maxPeriods: 2 } });
    await at.env.sleep('45 days');
    await handleOf(request).signal(cancelSignal, {});
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', periodsPaid: 2 });
  });

  it('gives back one charge at the most, however long ago it is said to have been asked for', async () => {
    const request = await started();
    await at.env.sleep('100 days');
    const before = await at.stateOf(request);
    expect(before.periodsPaid).toBe(4);
    await handleOf(request).signal(cancelSignal, { requestedAt: before.startedAt });
    const outcome = await at.endOf(request);
    expect(outcome).toMatchObject({ status: 'cancelled', totals: { charged: 4000, refunded: 1000 } });
    expect(outcome.refunds).toMatchObject([{ period: 4, reason: 'cancelled before it was due' }]);
    expect(outcome.cancellation?.requestedAt).toBe(before.startedAt);
    // After the third was due, so that it is not said to have ended before what has been paid for.
    expect(Date.parse(outcome.endedAt ?? '')).toBeGreaterThan(Date.parse(before.startedAt) + 58 * day);
    expect(await world.booked(request)).toContain('refund 4: -1000');
  });

  it('a time to come counts as now, and one that cannot be read as well', async () => {
    for (const requestedAt of [await at.later(400 * day), 'yesterday', 7]) {
      const request = await started();
      await at.env.sleep('10 days');
      const now = await at.later();
      await handleOf(request).signal('cancel', { requestedAt });
      const { status, cancellation, totals } = await at.endOf(request);
      expect({ status, net: totals.net }).toEqual({ status: 'cancelled', net: 1000 });
      expect(Math.abs(Date.parse(cancellation?.effectiveAt ?? '') - Date.parse(now))).toBeLessThan(day);
    }
  });

  it('from Temporal itself is one as well', async () => {
    const request = await started();
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    await handleOf(request).cancel();
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', totals: { net: 1000 } });
  });

  it('twice is no error, and one e-mail', async () => {
    const request = await started();
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    world.inbox.setFault({ kind: 'busy' });
    const first = await handleOf(request).executeUpdate(cancelUpdate, { args: [{ by: 'Ada' }] });
    await handleOf(request).signal(cancelSignal, { by: 'Bob' });
    const second = await handleOf(request).executeUpdate(cancelUpdate, { args: [{ by: 'Bob' }] });
    expect(second).toMatchObject({ status: 'cancelled', cancellation: first.cancellation });
    world.inbox.setFault(undefined);
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', cancellation: { by: 'Ada' } });
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'subscription-cancelled']);
  });

  it('signals in a burst around the end change nothing', async () => {
    const request = await started({ plan: { ...monthly, period: { days: 1 }, maxPeriods: 1 } });
    const burst = async () => {
      for (let i = 0; i < 20; i += 1) await handleOf(request).signal(cancelSignal, { by: `${i}` });
    };
    const [outcome] = await Promise.all([at.endOf(request), burst().catch(() => {})]);
    expect(['ended', 'cancelled']).toContain(outcome.status);
    expect(await world.kindsTo(request.customer)).toHaveLength(2);
  });
});
