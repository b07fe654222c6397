import { type DoomedWorkers, doomedWorkers, killPoints, sample, temporalAddress } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { subscriptionWorkflowId } from '../src/contract.ts';
import type { subscription } from '../src/workflows.ts';
import { quick } from './real-server.ts';
import { World } from './world.ts';

/**
 * The worker dies at each point of a subscription, and another one goes on: `pnpm torture`. In `pnpm test`, a slice of it;
 * SEED takes another one.
 */
const seed = Number(process.env.SEED ?? 1);

let world: World;
let client: Client;
let workers: DoomedWorkers;

beforeAll(async () => {
  const making = doomedWorkers({
    workflows: new URL('../src/workflows.ts', import.meta.url),
    program: new URL('./kill-matrix-worker.ts', import.meta.url),
    env: () => ({ ...world.env }),
  });
  [world, workers] = await Promise.all([World.create(), making]);
  client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
});
afterAll(() => Promise.all([client.connection.close(), world.end(), workers.close()]));

// Two charges and two mails, or three tries that are declined; activities include those that run within the worker.
describe.concurrent.each([
  ['ended', 2, killPoints(6, 6), 0],
  ['unpaid', 0, killPoints(6, 6), 1],
] as const)('ALL-14 a subscription that is %s', (ending, periods, all, which) => {
  const points = process.env.TORTURE === 'all' ? all : sample(all, 1, 3 * seed + which);
  it.each(points)(`survives the death of its worker: $at $n (seed ${seed})`, async (point) => {
    const customer = await world.customer({ balance: periods * 100 });
    const request = await world.aSubscription({ customer, plan: { ...quick, maxPeriods: 2 }, eventsPerRun: 20 });
    const { subscriptionId } = request;
    const doomed = await workers.start(subscriptionId, point);
    const handle = await client.workflow.start<typeof subscription>('subscription', {
      workflowId: subscriptionWorkflowId(subscriptionId),
      taskQueue: subscriptionId,
      args: [request],
      workflowTaskTimeout: '1 second',
    });
    const ended = handle.result();
    // Or this point is not one of this subscription's.
    expect(await Promise.race([doomed.exited.then(() => 'died'), ended])).toBe('died');
    const next = await workers.start(subscriptionId);
    const outcome = await ended;
    await Promise.all([doomed.kill(), next.stop()]);
    expect(outcome).toMatchObject({ status: ending, totals: { net: periods * 100 } });
    // A worker that died between a 250 and its record sends the mail again, and says so by its Message-ID.
    const isMailPoint = point.at !== 'activation';
    const wrong = (await world.wrongWith(outcome)).filter(
      (each) => !(isMailPoint && /^delivered again|times, not 1$/.test(each)),
    );
    expect(wrong).toEqual([]);
    expect(await world.asked(subscriptionId)).toHaveLength(ending === 'ended' ? 2 : 3);
    expect(await world.wrong()).toEqual([]);
  });
});
