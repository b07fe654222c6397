import { describe, expect, it, vi } from 'vitest';
import { transferWorkflowId } from '../src/contract.ts';
import { whereIs } from '../src/extras/invariants.ts';
import { sendOrFind } from '../src/extras/transfers.ts';
import { realServer } from './real-server.ts';
import { givenBack, reconciling } from './reconciled.ts';

const { world, client, handleOf, startWorker, stopWorker } = await realServer('transfer-reconcile-open');
const { reconciled, notGettingOn, withdrawnByHand } = reconciling(world, client, 'transfer-reconcile-open');

describe('XFER-2 an open transfer that makes no progress is shown, and never touched', () => {
  it('on a task queue that nobody serves', async () => {
    const request = await world.aTransfer();
    await withdrawnByHand(request);
    const queue = world.fresh('mistyped');
    await client.workflow.start('transfer', {
      workflowId: transferWorkflowId(request.reference),
      taskQueue: queue,
      args: [request],
    });
    expect(await reconciled(request)).toEqual([notGettingOn(request, queue)]);
    expect(await whereIs(world.ledger, request.reference)).toBe('suspense');
    await handleOf(request).terminate();
    expect(await reconciled(request)).toEqual(givenBack('terminated'));
  });

  it('past the time for its approval, with its worker away', async () => {
    const request = await world.aTransfer({ amount: 1_250_000, approvalWithin: 1 });
    const waiting = await sendOrFind(client, request, 'ada');
    await stopWorker();
    try {
      expect(waiting).toMatchObject({ status: 'waiting-for-approval' });
      await vi.waitFor(async () => expect(await reconciled(request)).toEqual([notGettingOn(request)]), 10_000);
      expect(await whereIs(world.ledger, request.reference)).toBe('suspense');
    } finally {
      await startWorker();
    }
    expect(await handleOf(request).result()).toMatchObject({ status: 'expired' });
    expect(await reconciled(request)).toEqual([]);
  });
});
