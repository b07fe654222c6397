import { describeEveryActivity, type Faults, faultsAroundActivities } from '@repo/testing';
import { describe, expect, it } from 'vitest';
import type { Activities } from '../src/activities.ts';
import type { Ending, TransferInput } from '../src/contract.ts';
import { timeSkipping } from './time-skipping.ts';

const at = await timeSkipping('transfer-activities', { serve: false });
const activities = { withdraw: { undoneBy: 'refund' }, deposit: {}, refund: {} } as const;
const names = Object.keys(activities);

async function endOf(request: TransferInput): Promise<Ending> {
  await at.start(request);
  return (await at.endOf(request)) as Ending;
}

/** A transfer that arrives, and one that is given back, each with what the ledger holds afterwards. */
async function bothWays() {
  const arrives = await at.world.aTransfer();
  expect(await endOf(arrives)).toMatchObject({ status: 'completed' });
  expect(await at.world.balances(arrives.from, arrives.to)).toEqual([8_750, 1_250]);
  const returns = await at.world.aTransfer({ to: await at.world.account(Number.MAX_SAFE_INTEGER) });
  expect(await endOf(returns)).toMatchObject({ status: 'refunded' });
  expect(await at.world.balances(returns.from)).toEqual([10_000]);
}

describeEveryActivity<Activities>({
  activities,
  createWorker: (activity) => at.createWorker({ interceptors: { activity } }),
  run: bothWays,
  runUndone: async () => {
    const request = await at.world.aTransfer();
    expect(await endOf(request)).toMatchObject({ status: 'refunded' });
    expect(await at.world.asked(request.reference)).toEqual(['refund:1 done', 'withdraw refused']);
    expect(await at.world.balances(request.from, request.to)).toEqual([10_000, 0]);
  },
});

describe('a fault at each leg', () => {
  const withFaults = async (faults: Faults) => {
    const worker = await at.createWorker({ interceptors: { activity: [faultsAroundActivities(faults.reach)] } });
    await worker.runUntil(bothWays);
  };

  it.each(['before-transaction', 'after-commit', 'before-return'] as const)('%s, two times each', async (point) => {
    const { faults } = at.world;
    faults.on(...names.map((of) => ({ point, of, calls: 2 })));
    await withFaults(faults);
    expect(faults.met.toSorted()).toEqual(names.flatMap((of) => [`${point} of ${of}`, `${point} of ${of}`]).toSorted());
  });

  it('by chance', async () => {
    const { faults } = at.world;
    for (const point of ['before-transaction', 'after-commit', 'before-return'] as const)
      faults.on({ point, chance: 0.3 });
    await withFaults(faults);
    expect(faults.met.length).toBeGreaterThan(2);
  });
});

it('ALL-2 with a replay at each step, all goes the same way', async () => {
  await (await at.createWorker({ maxCachedWorkflows: 0 })).runUntil(async () => {
    await bothWays();
    const waits = await at.world.aTransfer({ amount: 2_000_000 });
    expect(await endOf(waits)).toMatchObject({ status: 'expired' });
    const slow = await at.world.aTransfer();
    at.world.faults.on({ point: 'after-commit', of: 'deposit' });
    await at.start(slow);
    await at.env.sleep('7 minutes');
    expect((await at.handleOf(slow).describe()).searchAttributes).toMatchObject({ Status: ['needs-attention'] });
    at.world.faults.off();
    expect(await at.endOf(slow)).toMatchObject({ status: 'completed' });
  });
});
