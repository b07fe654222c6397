import { describe, expect, it } from 'vitest';
import * as contract from '../src/contract.ts';
import { day, timeSkipping } from './time-skipping.ts';
import { monthly } from './world.ts';

const at = await timeSkipping('subscription-as-new');
const { world, handleOf } = at;

const minute = { seconds: 60 };
const minutes = { trial: minute, period: minute, dunning: [minute, minute] };

describe('SUB-7 years of history', () => {
  it('ten years of a monthly plan, in bounded runs, and nothing is lost', async () => {
    const request = await world.aSubscription({ plan: { ...monthly, maxPeriods: 120 }, eventsPerRun: 300 });
    const handle = await at.start(request);
    await handle.executeUpdate(contract.subscribedUpdate, { args: [request] });
    await handle.executeUpdate(contract.changePriceUpdate, { args: [{ price: 1500, from: 61, by: 'Bob' }] });
    const began = performance.now();
    const outcome = await at.endOf(request);
    // Many times what it takes on a machine that has nothing else to do.
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(outcome).toMatchObject({ status: 'ended', periodsPaid: 120, totals: { net: 60 * 1000 + 60 * 1500 } });
    const { runId, typedSearchAttributes, historyLength } = await handleOf(request).describe();
    expect(runId).not.toBe(handle.firstExecutionRunId);
    expect(historyLength).toBeLessThan(350);
    expect(typedSearchAttributes.get(contract.statusAttribute)).toBe('ended');
  }, 120_000);

  it('goes on as a new run after each step, with all that has been asked for', async () => {
    const request = await world.aSubscription({
      customer: await world.customer({ balance: 1_000 }),
      plan: { ...monthly, ...minutes, maxPeriods: 3 },
      eventsPerRun: 1,
    });
    // Nothing gets out for now.
    world.inbox.setFault({ kind: 'busy' });
    const first = await at.start(request);
    await at.until(request, ({ status }) => status === 'trial');
    const change = { price: 1200, from: 3, changeId: 'spring', by: 'Bob' };
    const made = await handleOf(request).executeUpdate(contract.changePriceUpdate, { args: [change] });
    const credit = { reference: 'sorry', amount: 200, direction: 'credit', reason: 'r', by: 'Bob' } as const;
    await handleOf(request).executeUpdate(contract.adjustUpdate, { args: [credit] });
    // A minute's trial, and the ten seconds for which each run waits for its mails.
    await at.env.sleep('75 seconds');
    const { nextCharge } = await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    expect((await handleOf(request).describe()).runId).not.toBe(first.firstExecutionRunId);
    await at.sleepPast(nextCharge?.at);
    await at.env.sleep('15 seconds');
    const declined = await at.until(request, ({ mails }) => mails.pending.length === 2);
    expect(declined.mails.pending).toEqual(['welcome', 'payment-declined']);
    // Asked for again in another run, it is the same.
    expect(await handleOf(request).executeUpdate(contract.changePriceUpdate, { args: [change] })).toEqual(made);
    await handleOf(request).executeUpdate(contract.adjustUpdate, { args: [credit] });
    await handleOf(request).executeUpdate(contract.refundUpdate, { args: [{ period: 1, by: 'Bob' }] });
    await world.payIn(request.customer, 10_000);
    world.inbox.setFault(undefined);
    const outcome = await at.endOf(request);
    expect(outcome).toMatchObject({
      status: 'ended',
      totals: { charged: 1000 + 1000 + 1200, refunded: 1000, credited: 200, net: 2000 },
      changes: [made],
      adjustments: [credit],
      refunds: [{ period: 1 }],
    });
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'payment-declined', 'subscription-ended']);
  });

  it('knows which charge a cancellation takes back, also in another run', async () => {
    const request = await world.aSubscription({ eventsPerRun: 1 });
    await at.start(request);
    await at.env.sleep('70 days');
    const { startedAt } = await at.until(request, ({ periodsPaid }) => periodsPaid === 3);
    await handleOf(request).signal(contract.cancelSignal, { requestedAt: startedAt });
    const { totals, refunds, endedAt } = await at.endOf(request);
    expect({ totals, refunds }).toMatchObject({ totals: { charged: 3000, refunded: 1000 }, refunds: [{ period: 3 }] });
    expect(Date.parse(endedAt ?? '')).toBeGreaterThan(Date.parse(startedAt) + 27 * day);
  });
});
