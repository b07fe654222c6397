import { joinStack } from '@repo/dev-stack';
import { afterAll, expect, it, vi } from 'vitest';
import { hourly, realServer } from './real-server.ts';

// A server of this file's own: the other files need theirs.
const stack = await joinStack({ need: ['postgres'], ephemeral: true, ignoreEnvironment: true });
afterAll(() => stack.leave());
const at = await realServer('subscription-postgres-stopped', stack.postgres?.url);
const { world } = at;

it.each([
  ['stopServer', { point: 'before-transaction', calls: 5, effect: 'hang' }],
  ['killServer', { point: 'after-commit', chance: 1 }],
] as const)(
  'SUB-8 PostgreSQL that goes away by %s in mid-charge, and comes back: each is charged once',
  async (how, fault) => {
    const requests = await Promise.all(Array.from({ length: 5 }, () => world.aSubscription({ plan: hourly })));
    // All are in mid-charge when it goes: not booked yet, or booked and without an answer.
    world.faults.on({ ...fault, of: 'charge' });
    await Promise.all(requests.map(at.start));
    await vi.waitFor(() => expect(world.faults.met.length).toBeGreaterThanOrEqual(requests.length), 30_000);
    // A mail of which the record is lost is sent again, and that is another test's.
    await Promise.all(requests.map((one) => at.until(one, ({ mails }) => mails.pending.length === 0)));
    await stack[how]('postgres');
    world.faults.off();
    for (const request of requests) {
      await vi.waitFor(async () => {
        const { raw } = await at.handleOf(request).describe();
        const failures = (raw.pendingActivities ?? []).map(({ lastFailure }) => lastFailure?.message);
        expect(failures.some((message) => message)).toBe(true);
      }, 30_000);
      // No answer is not a declined card.
      expect(await at.stateOf(request)).toMatchObject({ status: 'active', period: { declined: 0, isPaid: false } });
    }
    await stack.startServer('postgres');
    for (const request of requests) {
      await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
      await at.handleOf(request).signal('cancel', {});
      expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', totals: { net: 100 } });
      expect(await world.asked(request.subscriptionId)).toEqual(['period:1:attempt:1 done']);
    }
    expect(await world.wrong()).toEqual([]);
    world.faults.met.splice(0);
  },
);
