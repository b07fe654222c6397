import { type DoomedWorkers, doomedWorkers, killPoints, sample, temporalAddress } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transferWorkflowId } from '../src/contract.ts';
import { disagreement } from '../src/extras/invariants.ts';
import type { transfer } from '../src/workflows.ts';
import { World } from './world.ts';

/**
 * The worker dies at each point of a transfer, and another one goes on: `pnpm torture`. In `pnpm test`, a slice of it; SEED
 * takes another one.
 */
const seed = Number(process.env.SEED ?? 1);

let world: World;
let client: Client;
let workers: DoomedWorkers;

beforeAll(async () => {
  const making = doomedWorkers({
    workflows: new URL('../src/workflows.ts', import.meta.url),
    program: new URL('./kill-matrix-worker.ts', import.meta.url),
    env: () => world.env,
  });
  [world, workers] = await Promise.all([World.create(), making]);
  client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
});
afterAll(() => Promise.all([client.connection.close(), world.end(), workers.close()]));

// An activation before each leg and after the last; one more where an approval expires.
describe.concurrent.each([
  ['completed', {}, killPoints(3, 2), 0],
  // A deposit that is refused has no answer to die after.
  ['refunded', {}, killPoints(4, 3).filter((point) => point.at !== 'after-activity' || point.n < 3), 1],
  ['expired', { amount: 2_000_000, approvalWithin: 1 }, killPoints(4, 2), 2],
] as const)('ALL-14 a transfer that ends %s', (ending, changes, all, which) => {
  const points = process.env.TORTURE === 'all' ? all : sample(all, 1, 3 * seed + which);
  it.each(points)(`survives the death of its worker: $at $n (seed ${seed})`, async (point) => {
    // One that has all it can hold refuses the deposit.
    const to = await world.account(ending === 'refunded' ? Number.MAX_SAFE_INTEGER : 0);
    const request = await world.aTransfer({ to, ...changes });
    const { reference, from } = request;
    const [before = 0] = await world.balances(from);
    const doomed = await workers.start(reference, point);
    const handle = await client.workflow.start<typeof transfer>('transfer', {
      workflowId: transferWorkflowId(reference),
      taskQueue: reference,
      args: [request],
      workflowTaskTimeout: '1 second',
    });
    const ended = handle.result();
    // Or this point is not one of this transfer's.
    expect(await Promise.race([doomed.exited.then(() => 'died'), ended])).toBe('died');
    const next = await workers.start(reference);
    const outcome = await ended;
    await Promise.all([doomed.kill(), next.stop()]);
    expect(outcome).toMatchObject({ status: ending });
    expect(await disagreement(world.ledger, outcome)).toBeUndefined();
    expect(await world.balances(from)).toEqual([ending === 'completed' ? before - request.amount : before]);
    // One withdrawal, one deposit or refund: each leg has been asked for under one key.
    expect(await world.asked(reference)).toHaveLength(ending === 'refunded' ? 3 : 2);
    expect(await world.wrong()).toEqual([]);
  });
});
