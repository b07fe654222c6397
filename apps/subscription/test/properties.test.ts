import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cancelSignal, cancelUpdate, type Span, type SubscriptionInput } from '../src/contract.ts';
import { realServer } from './real-server.ts';

/** Some of all ways in `pnpm test`; SEED takes others, `pnpm torture` many. */
const seed = Number(process.env.SEED ?? 1);
const numRuns = process.env.TORTURE === 'all' ? 200 : 16;
/** How many go on at once. */
const lanes = 8;

// Not the time-skipping server: it chokes on a timer that is cancelled while it fires, which is what this is about.
const at = await realServer('subscription-properties');
const { world, handleOf } = at;

/** Everything at hand, in seconds since the beginning: the trial is over after one, each of three periods after one more. */
const boundaries = [1, 2, 3, 4];

const race = fc.record({
  billing: fc.constantFrom('in-advance' as const, 'in-arrears' as const),
  // What the customer can pay for.
  funds: fc.integer({ min: 0, max: 3 }),
  dunning: fc.constantFrom<Span[]>([], [{ seconds: 1 }, { seconds: 1 }]),
  eventsPerRun: fc.constantFrom(1, 1000),
  boundary: fc.constantFrom(...boundaries),
  // Milliseconds from the boundary to when it is sent, and from when it was asked for to then.
  sent: fc.constantFrom(-900, -30, -3, 0, 3, 30, 500),
  late: fc.constantFrom(0, 1, 40, 900),
  how: fc.constantFrom('signal' as const, 'update' as const, 'both' as const),
  // What a charge of this one, or of another one that goes on beside it, meets.
  fault: fc.constantFrom('none' as const, 'before-transaction' as const, 'after-commit' as const),
});
type Race = typeof race extends fc.Arbitrary<infer One> ? One : never;

async function run({ billing, funds, dunning, eventsPerRun, boundary, sent, late, how, fault }: Race): Promise<void> {
  const plan = {
    ...{ name: 'raced', trial: { seconds: 1 }, period: { seconds: 1 }, billing, price: 100, currency: 'EUR' as const },
    ...{ maxPeriods: 3, dunning },
  };
  const customer = await world.customer({ balance: funds * 100 });
  const request: SubscriptionInput = await world.aSubscription({ plan, customer, eventsPerRun });
  await at.start(request);
  const { startedAt } = await at.until(request, ({ status }) => status !== 'starting');
  if (fault !== 'none') world.faults.on({ point: fault, of: 'charge', calls: 1 });
  const edge = Date.parse(startedAt) + boundary * 1_000;
  await delay(Math.max(0, edge + sent - Date.now()));
  const cancel = { requestedAt: new Date(edge + sent - late).toISOString(), by: 'Ada' };
  const asked = [
    ...(how === 'update' ? [] : [handleOf(request).signal(cancelSignal, cancel)]),
    ...(how === 'signal' ? [] : [handleOf(request).executeUpdate(cancelUpdate, { args: [cancel] })]),
  ];
  // It may have ended before.
  await Promise.allSettled(asked);
  const { status, totals, periodsPaid, cancellation } = await at.endOf(request);
  const secondsIn = (Date.parse(cancellation?.effectiveAt ?? '') - Date.parse(startedAt)) / 1_000;
  if (status === 'ended') expect(periodsPaid).toBe(3);
  if (status === 'trial-cancelled') expect([totals.net, secondsIn <= 1]).toEqual([0, true]);
  if (status === 'cancelled') {
    const dueBefore = boundaries.filter((one) => one < secondsIn).length - (billing === 'in-arrears' ? 1 : 0);
    expect(totals.net).toBeLessThanOrEqual(Math.min(dueBefore, 3) * 100);
    // Who can pay has paid for all that was due before.
    if (funds === 3) expect(totals.net).toBe(Math.min(dueBefore, 3) * 100);
  }
  if (status === 'unpaid') expect(funds).toBeLessThan(3);
}

describe('SUB-8 a cancellation raced against a boundary', () => {
  it('whatever the order, nothing that was due after it is paid for, and one mail says how it ended', async () => {
    const races = fc.sample(race, { seed, numRuns }).entries();
    const lane = async () => {
      for (const [number, one] of races) {
        await run(one).catch((cause: unknown) => {
          throw new Error(`race ${number} of seed ${seed}: ${JSON.stringify(one)}: ${cause}`, { cause });
        });
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }, 600_000);
});
