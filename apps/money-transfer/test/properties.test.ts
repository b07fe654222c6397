import { Faults, runEach } from '@repo/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { resolveUpdate, type TransferOutcome, type TransferRequest } from '../src/contract.ts';
import { disagreement, whereIs } from '../src/extras/invariants.ts';
import { reconcile } from '../src/extras/reconcile.ts';
import { sendOrFind } from '../src/extras/transfers.ts';
import { realServer } from './real-server.ts';

const at = await realServer('transfer-properties');
const seed = Number(process.env.SEED ?? 1);

const accounts = 4;
const plan = fc.record({
  transfers: fc.array(
    fc.record({
      from: fc.nat({ max: accounts - 1 }),
      /** How far behind `from`; 0 is an account that cannot take it: there is none, or it is full. */
      to: fc.nat({ max: accounts - 1 }),
      amount: fc.integer({ min: 1, max: 4_000 }),
      /** Sent twice at once, the second time perhaps with another amount. */
      again: fc.constantFrom('no', 'the same', 'another amount'),
      end: fc.constantFrom(...(['no', 'no', 'no', 'cancel', 'terminate'] as const)),
    }),
    { minLength: 14, maxLength: 14 },
  ),
  /** How every activity runs, beside the faults. */
  repetition: fc.constantFrom(...(['twice', 'atOnce', 'late'] as const)),
  /** An account that is frozen for a while. */
  frozen: fc.option(fc.nat({ max: accounts - 1 }), { nil: undefined }),
  luck: fc.nat(),
});
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never;
type Sent = TransferRequest & Pick<Plan['transfers'][number], 'again' | 'end'>;

/** Looks at the sum of everything, again and again, until told to stop. @returns the sums that it has seen */
function watchTotal(): () => Promise<{ looks: number; sums: string[] }> {
  const seen = new Set<string>();
  let looks = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const [all] = await at.world.ledger.totals();
      seen.add(String(BigInt(all?.customers ?? 0) + BigInt(all?.suspense ?? 0)));
      looks += 1;
    }
  })();
  return async () => {
    isOver = true;
    await watching;
    return { looks, sums: [...seen] };
  };
}

/** Sends it, perhaps twice, and perhaps stops it. Whatever is answered, the ledger is looked up afterwards. */
async function play({ again, end, ...request }: Sent): Promise<void> {
  const handle = await at.start(request);
  const second = again === 'another amount' ? { ...request, amount: request.amount + 1 } : request;
  const asked = again === 'no' ? undefined : sendOrFind(at.client, second, 'ada').then(({ status }) => status, String);
  if (end === 'cancel') await handle.cancel();
  if (end === 'terminate') await handle.terminate('by the test');
  const answer = await asked;
  if (end !== 'terminate' && again === 'another amount')
    expect(answer).toMatch(/Update failed|exists with other details/);
}

/** Where a transfer has ended; after the ledger was mended, and a person has resolved what was left. */
async function endOf(request: Sent): Promise<TransferOutcome | undefined> {
  const handle = at.handleOf(request);
  if (request.end === 'terminate') return undefined;
  for (;;) {
    const { status } = await handle.describe();
    if (status.name !== 'RUNNING') return handle.result();
    const outcome = await handle.executeUpdate<TransferOutcome, []>('outcome').catch(() => undefined);
    if (outcome?.status === 'needs-attention' && !outcome.problem.isBeingTried) {
      await handle.executeUpdate(resolveUpdate, { args: [{ by: 'Carol' }] }).catch(() => {});
    }
  }
}

it('any interleaving of transfers, crashes, late and doubled attempts keeps every cent', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ transfers, repetition, frozen, luck }) => {
      const { world } = at;
      await at.stopWorker();
      at.around.faults = new Faults(luck);
      const each = runEach(repetition);
      at.around.each = each.interceptor;
      at.around.faults.on({ point: 'before-transaction', chance: 0.1 }, { point: 'before-return', chance: 0.15 });
      world.faults = new Faults(luck);
      world.faults.on({ point: 'after-commit', chance: 0.1 });
      await at.startWorker();

      const names = await Promise.all(Array.from({ length: accounts }, () => world.account(5_000, { overdraft: 500 })));
      const full = await world.account(Number.MAX_SAFE_INTEGER);
      const requests = await Promise.all(
        transfers.map(async ({ from, to, ...rest }): Promise<Sent> => {
          const none = rest.amount % 2 === 0 ? 'nobody' : full;
          const other = to === 0 ? none : names[(from + to) % accounts];
          const request = await world.aTransfer({ from: names[from] ?? '', to: other ?? '', amount: rest.amount });
          return { ...request, ...rest };
        }),
      );
      const stopWatching = watchTotal();
      const playing = Promise.all(requests.map(play));
      if (frozen !== undefined) await world.freeze(names[frozen] ?? '');
      await at.stopWorker();
      await at.startWorker();
      await playing;
      at.around.faults.off();
      world.faults.off();
      if (frozen !== undefined) await world.unfreeze(names[frozen] ?? '');
      const ends = await Promise.all(requests.map(endOf));
      // Drained: nothing of what was terminated is on its way any more.
      await at.stopWorker();
      for await (const _ of reconcile({ client: at.client, ledger: world.ledger, graceMs: 0 }));
      await at.startWorker();

      const watched = await stopWatching();
      expect(watched).toMatchObject({ sums: [expect.any(String)] });
      expect(watched.looks).toBeGreaterThan(5);
      expect(each.differences).toEqual([]);
      expect(await world.wrong()).toEqual([]);

      const expected = new Map(names.map((name) => [name, 5_000]));
      for (const [index, { reference, from, to, amount }] of requests.entries()) {
        const end = ends[index];
        if (end) expect(await disagreement(world.ledger, end)).toBeUndefined();
        const where = await whereIs(world.ledger, reference);
        expect(where).not.toBe('suspense');
        const moved = (await world.asked(reference)).filter((one) => /^(withdraw|deposit:\d+) done$/.test(one));
        expect(moved.length).toBeLessThanOrEqual(2);
        if (where !== 'target') continue;
        expected.set(from, (expected.get(from) ?? 0) - amount);
        expected.set(to, (expected.get(to) ?? 0) + amount);
      }
      expect(await world.balances(...names)).toEqual(names.map((name) => expected.get(name)));
    }),
    { numRuns: process.env.TORTURE === 'all' ? 15 : 1, seed, endOnFailure: true },
  );
}, 600_000);
