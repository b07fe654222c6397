import { joinStack } from '@repo/dev-stack';
import { afterAll, expect, it, vi } from 'vitest';
import { disagreement } from '../src/extras/invariants.ts';
import { realServer } from './real-server.ts';

// A server of this file's own: the other files need theirs.
const stack = await joinStack({ need: ['postgres'], ephemeral: true, ignoreEnvironment: true });
afterAll(() => stack.leave());
const at = await realServer('transfer-postgres-stopped', stack.postgres?.url);

it.each(['stopServer', 'killServer'] as const)(
  'XFER-2 PostgreSQL that goes away by %s, and comes back: every transfer arrives once',
  async (how) => {
    const [from, to] = [await at.world.account(10_000), await at.world.account()];
    const requests = await Promise.all(
      Array.from({ length: 10 }, () => at.world.aTransfer({ from, to, amount: 1_000 })),
    );
    // Some are in mid-transfer when it goes: these deposits have to wait for it to be gone.
    at.world.faults.on({ point: 'before-transaction', of: 'deposit', calls: 5, effect: 'hang' });
    const handles = await Promise.all(requests.map((request) => at.start(request)));
    await vi.waitFor(() => expect(at.world.faults.met.length).toBeGreaterThanOrEqual(5), 20_000);
    await stack[how]('postgres');
    at.world.faults.off();
    await vi.waitFor(async () => {
      const [pending] = (await Promise.all(handles.map((handle) => handle.describe()))).flatMap(
        ({ raw }) => raw.pendingActivities ?? [],
      );
      expect(pending?.lastFailure).toBeTruthy();
    }, 20_000);
    await stack.startServer('postgres');
    for (const handle of handles) {
      const ending = await handle.result();
      expect(ending).toMatchObject({ status: 'completed' });
      expect(await disagreement(at.world.ledger, ending)).toBeUndefined();
    }
    expect(await at.world.balances(from, to)).toEqual([0, 10_000]);
    expect(await at.world.wrong()).toEqual([]);
    at.world.faults.met.splice(0);
  },
);
