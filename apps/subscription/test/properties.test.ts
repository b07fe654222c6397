import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cancelSignal, cancelUpdate, type Span, type SubscriptionInput } from '../src/contract.ts';
import { day, timeSkipping } from './time-skipping.ts';

/** Some of all ways in `pnpm test`; SEED takes others, `pnpm torture` many. */
const seed = Number(process.env.SEED ?? 1);
const numRuns = process.env.TORTURE === 'all' ? 100 : 8;

const at = await timeSkipping('subscription-properties');
const { world, handleOf } = at;

/** Everything at hand, in days since the beginning: the trial is over after 10, each of 3 periods after 10 more. */
const boundaries = [10, 20, 30, 40];

const race = fc.record({
  billing: fc.constantFrom('in-advance' as const, 'in-arrears' as const),
  // What the customer can pay for.
  funds: fc.integer({ min: 0, max: 3 }),
  dunning: fc.constantFrom<Span[]>([], [{ days: 1 }, { days: 1 }]),
  eventsPerRun: fc.constantFrom(1, 1000),
  boundary: fc.constantFrom(...boundaries),
  // Milliseconds from the boundary to when it arrives, and from when it was asked for to then. Not the very instant: the
  // server for tests chokes on a timer that is cancelled while it fires. In worker-away.test.ts they come together.
  arrives: fc.constantFrom(-day, -60_000, 1, 1_000, day / 2),
  delay: fc.constantFrom(0, 1, 60_000, day),
  how: fc.constantFrom('signal' as const, 'update' as const, 'both' as const),
  // What the charge at the boundary meets.
  fault: fc.constantFrom('none' as const, 'before-transaction' as const, 'after-commit' as const),
});

describe('SUB-8 a cancellation raced against a boundary', () => {
  it('whatever the order, nothing that was due after it is paid for, and one mail says how it ended', async () => {
    await fc.assert(
      fc.asyncProperty(
        race,
        async ({ billing, funds, dunning, eventsPerRun, boundary, arrives, delay, how, fault }) => {
          const plan = {
            ...{
              name: 'raced',
              trial: { days: 10 },
              period: { days: 10 },
              billing,
              price: 100,
              currency: 'EUR' as const,
            },
            ...{ maxPeriods: 3, dunning },
          };
          const customer = await world.customer({ balance: funds * 100 });
          const request: SubscriptionInput = await world.aSubscription({ plan, customer, eventsPerRun });
          const handle = await at.start(request);
          const { startedAt } = await at.until(request, ({ status }) => status !== 'starting');
          if (fault !== 'none') world.faults.on({ point: fault, of: 'charge', calls: 1 });
          const edge = Date.parse(startedAt) + boundary * day;
          await at.env.sleep(Math.max(0, edge + arrives - (await at.env.currentTimeMs())));
          const requestedAt = new Date(edge + arrives - delay).toISOString();
          const cancel = { requestedAt, by: 'Ada' };
          const sent = [
            ...(how === 'update' ? [] : [handleOf(request).signal(cancelSignal, cancel)]),
            ...(how === 'signal' ? [] : [handleOf(request).executeUpdate(cancelUpdate, { args: [cancel] })]),
          ];
          // It may have ended before.
          await Promise.allSettled(sent);
          world.faults.off();
          const outcome = await at.endOf(request);
          const daysIn = (Date.parse(outcome.cancellation?.effectiveAt ?? '') - Date.parse(startedAt)) / day;
          const { status, totals, periodsPaid } = outcome;
          if (status === 'ended') expect([periodsPaid, boundary]).toEqual([3, 40]);
          if (status === 'trial-cancelled') expect([totals.net, daysIn <= 10]).toEqual([0, true]);
          if (status === 'cancelled') {
            const dueBefore = boundaries.filter((edge) => edge < daysIn).length - (billing === 'in-arrears' ? 1 : 0);
            expect(totals.net).toBeLessThanOrEqual(Math.min(dueBefore, 3) * 100);
            // Who can pay has paid for all that was due before.
            if (funds === 3) expect(totals.net).toBe(Math.min(dueBefore, 3) * 100);
          }
          if (status === 'unpaid') expect(funds).toBeLessThan(3);
          expect(handle.workflowId).toBe(`subscription:${request.subscriptionId}`);
        },
      ),
      { seed, numRuns, endOnFailure: true },
    );
  }, 600_000);
});
