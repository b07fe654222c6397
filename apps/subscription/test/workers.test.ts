import { describe, expect, it, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { hourly, quick, realServer } from './real-server.ts';

const at = await realServer('subscription-workers');
const { world } = at;

/** What a release that went wrong does. */
const broken = () =>
  vi.fn(async (): Promise<never> => {
    throw new TypeError('undefined is not a function');
  });

describe('SUB-8 a bug that is deployed', () => {
  it('in charge and mail keeps failing, is mended, and all subscriptions in flight go on; none was declined', async () => {
    const waiting = await world.aSubscription({ plan: { ...quick, period: { seconds: 5 }, maxPeriods: 2 } });
    await at.start(waiting);
    await at.until(waiting, ({ periodsPaid }) => periodsPaid === 1);
    await at.worker.stop();
    const [charge, notify] = [broken(), broken()];
    const bad = await at.worker.create({ activities: { ...createActivities(world.services), charge, notify } });
    const fresh = [await world.aSubscription({ plan: hourly }), await world.aSubscription({ plan: hourly })];
    await bad.runUntil(async () => {
      for (const request of fresh) await at.start(request);
      await at.until(waiting, ({ period }) => period?.number === 2);
      await vi.waitFor(() => {
        expect(charge.mock.calls.length).toBeGreaterThan(3);
        expect(notify.mock.calls.length).toBeGreaterThan(2);
      }, 30_000);
      for (const request of [waiting, ...fresh]) {
        expect((await at.handleOf(request).describe()).status.name).toBe('RUNNING');
        expect(await at.stateOf(request)).toMatchObject({ status: 'active', period: { declined: 0, isPaid: false } });
      }
      // What was due before it is paid for all the same.
      for (const request of fresh) await at.handleOf(request).signal('cancel', {});
    });
    await at.worker.start();
    expect(await at.endOf(waiting)).toMatchObject({ status: 'ended', periodsPaid: 2, totals: { net: 200 } });
    for (const request of fresh) {
      expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', totals: { net: 100 } });
    }
    for (const request of [waiting, ...fresh]) expect(await world.kindsTo(request.customer)).toHaveLength(2);
  });
});
