import { turnOnSchedule } from '@repo/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Decision, legKey, resolveUpdate, type TransferRequest, transferWorkflowId } from '../src/contract.ts';
import { disagreement, whereIs } from '../src/extras/invariants.ts';
import { sendOrFind } from '../src/extras/transfers.ts';
import { realServer } from './real-server.ts';
import { givenBack, reconciling } from './reconciled.ts';

const { world, client, handleOf, start } = await realServer('transfer-reconcile');
const { reconciled, notGettingOn, withdrawnByHand } = reconciling(world, client, 'transfer-reconcile');

afterEach(async () => {
  world.faults.off();
  expect(await world.wrong()).toEqual([]);
});

/** Withdrawn, and the deposit is on its way until `world.faults.off()`. */
async function inMidTransfer(begin: (request: TransferRequest) => Promise<unknown> = start): Promise<TransferRequest> {
  const request = await world.aTransfer();
  const before = world.faults.met.length;
  world.faults.on({ point: 'before-transaction', of: 'deposit', effect: 'hang' });
  await begin(request);
  await vi.waitFor(() => expect(world.faults.met.length).toBeGreaterThan(before), 10_000);
  expect(await whereIs(world.ledger, request.reference)).toBe('suspense');
  return request;
}

/** Neither side can take the money, and a person is waited for. */
async function stuck(): Promise<TransferRequest> {
  const request = await inMidTransfer();
  await world.freeze(request.from, request.to);
  world.faults.off();
  await vi.waitFor(async () => {
    expect((await handleOf(request).describe()).searchAttributes.Status).toEqual(['needs-attention']);
  }, 10_000);
  return request;
}

describe('a transfer that was terminated between its legs', () => {
  it('is given back, after the grace period, and the second time nothing changes', async () => {
    const request = await inMidTransfer();
    await handleOf(request).terminate();
    expect(await reconciled(request, { graceMs: 60_000 }), 'younger than the grace period').toEqual([]);
    expect(await reconciled(request, { dryRun: true })).toEqual(['to give back: its workflow is terminated']);
    expect(await world.balances(request.from, request.to)).toEqual([8_750, 0]);

    expect(await reconciled(request)).toEqual(givenBack('terminated'));
    expect(await world.balances(request.from, request.to)).toEqual([10_000, 0]);
    const asked = await world.asked(request.reference);
    expect(asked).toEqual(['withdraw done', 'refund:1 done']);
    expect(await reconciled(request)).toEqual([]);
    expect(await world.asked(request.reference)).toEqual(asked);
  });

  it('is given back once by two reconcilers at a time', async () => {
    const request = await inMidTransfer();
    await handleOf(request).terminate();
    const both = await Promise.all([reconciled(request), reconciled(request)]);
    expect(both.flat().length).toBeGreaterThan(0);
    expect(await world.balances(request.from, request.to)).toEqual([10_000, 0]);
    expect(await world.asked(request.reference)).toEqual(['withdraw done', 'refund:1 done']);
  });

  it('cannot be deposited any more by a call that comes late', async () => {
    const request = await inMidTransfer();
    await handleOf(request).terminate();
    expect(await reconciled(request)).toEqual(givenBack('terminated'));
    world.faults.off();
    await vi.waitFor(async () => expect(await world.asked(request.reference)).toContain('deposit:1 refused'), 10_000);
    expect(await world.balances(request.from, request.to)).toEqual([10_000, 0]);
    expect(await whereIs(world.ledger, request.reference)).toBe('given back');
  });

  it.each(['suspense', 'account'] as const)(
    'is left alone if its deposit arrives while its %s is read',
    async (name) => {
      const request = await inMidTransfer();
      await handleOf(request).terminate();
      const { reference, to: account } = request;
      const late = { key: legKey.deposit(reference, 1), reference, account, at: new Date().toISOString() };
      const original = world.ledger[name] as (page: unknown) => Promise<never>;
      const read = vi.spyOn(world.ledger, name).mockImplementation(async (page: unknown) => {
        const found = await original(page);
        await world.ledger.deposit(late);
        return found;
      });
      expect(await reconciled(request)).toEqual([]);
      expect(read).toHaveBeenCalled();
      read.mockRestore();
      expect(await world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
    },
  );

  it('waits for a person while its sender is frozen, which takes no key, and is given back afterwards', async () => {
    const request = await inMidTransfer();
    await handleOf(request).terminate();
    await world.freeze(request.from);
    const why = `its workflow is terminated, and ${request.from} is frozen: reconcile again when it is open`;
    for (const _ of ['the first time', 'the second time']) {
      expect(await reconciled(request)).toEqual([`needs attention: ${why}`]);
      expect(await world.asked(request.reference)).toEqual(['withdraw done']);
    }
    await world.unfreeze(request.from);
    expect(await reconciled(request)).toEqual(givenBack('terminated'));
  });

  it('is given back under the key of the next try, after one that was refused', async () => {
    const request = await stuck();
    await handleOf(request).terminate();
    await world.unfreeze(request.from);
    expect(await reconciled(request)).toEqual(givenBack('terminated'));
    const asked = ['withdraw done', 'deposit:1 refused', 'refund:1 refused', 'refund:2 done'];
    expect(await world.asked(request.reference)).toEqual(asked);
    expect(await world.balances(request.from, request.to)).toEqual([10_000, 0]);
  });
});

it('a transfer that has timed out between its legs is given back', async () => {
  const request = await inMidTransfer((request) =>
    client.workflow.start('transfer', {
      workflowId: transferWorkflowId(request.reference),
      taskQueue: 'transfer-reconcile',
      args: [request],
      workflowExecutionTimeout: '3 seconds',
    }),
  );
  await vi.waitFor(async () => expect((await handleOf(request).describe()).status.name).toBe('TIMED_OUT'), 15_000);
  expect(await reconciled(request)).toEqual(givenBack('timed out'));
  expect(await world.balances(request.from, request.to)).toEqual([10_000, 0]);
});

describe('a healthy transfer is never touched', () => {
  it('between its legs', async () => {
    const request = await inMidTransfer();
    expect(await reconciled(request, { graceMs: 60_000 })).toEqual([]);
    expect(await reconciled(request)).toEqual([notGettingOn(request)]);
    expect(await world.asked(request.reference)).toEqual(['withdraw done']);
    world.faults.off();
    expect(await handleOf(request).result()).toMatchObject({ status: 'completed' });
    expect(await reconciled(request)).toEqual([]);
  });

  it('while it waits for approval', async () => {
    const request = await world.aTransfer({ amount: 1_250_000 });
    expect(await sendOrFind(client, request, 'ada')).toMatchObject({ status: 'waiting-for-approval' });
    expect(await reconciled(request)).toEqual([]);
    expect(await whereIs(world.ledger, request.reference)).toBe('suspense');
    await handleOf(request).cancel();
    expect(await handleOf(request).result()).toMatchObject({ status: 'cancelled' });
  });

  it('that has come to its end since the page was read', async () => {
    const request = await inMidTransfer();
    const [item] = (await world.ledger.suspense()).filter(({ reference }) => reference === request.reference);
    world.faults.off();
    await handleOf(request).result();
    const read = vi.spyOn(world.ledger, 'suspense').mockResolvedValueOnce(item ? [item] : []);
    expect(await reconciled(request)).toEqual([]);
    expect(read).toHaveBeenCalledOnce();
    read.mockRestore();
    expect(await world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
  });
});

describe('what Temporal cannot decide goes to a person', () => {
  it('a transfer that waits for one', async () => {
    const request = await stuck();
    const why = new RegExp(`^needs attention: its workflow does not get on: .* status ${request.reference}$`);
    expect(await reconciled(request)).toEqual([expect.stringMatching(why)]);
    await world.unfreeze(request.to);
    const carol = { args: [{ by: 'Carol' }] as [Decision] };
    expect(await handleOf(request).executeUpdate(resolveUpdate, carol)).toMatchObject({ status: 'completed' });
    expect(await reconciled(request)).toEqual([]);
  });

  it('money of a transfer that Temporal does not know (any more): sent again, it arrives once', async () => {
    const request = await world.aTransfer();
    await withdrawnByHand(request);
    const attention = [expect.stringMatching(/^needs attention: Temporal has no workflow of it \(any more\)/)];
    expect(await reconciled(request)).toEqual(attention);
    expect(await reconciled(request)).toEqual(attention);
    expect(await world.balances(request.from, request.to)).toEqual([8_750, 0]);
    expect(await sendOrFind(client, request, 'ada')).toMatchObject({ status: 'completed' });
    expect(await world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
    expect(await reconciled(request)).toEqual([]);
  });
});

describe('what rests although the workflow has come to its end is given back', () => {
  it('after a second run that asked for something else', async () => {
    const request = await world.aTransfer({ amount: 1_250_000 });
    expect(await sendOrFind(client, request, 'ada')).toMatchObject({ status: 'waiting-for-approval' });
    await handleOf(request).terminate();
    // As the stock command does it unless told otherwise.
    await start({ ...request, amount: 1_260_000 });
    const outcome = await handleOf(request).result();
    expect(outcome).toMatchObject({ status: 'refused', reason: { type: 'LedgerMismatch' } });
    expect(await disagreement(world.ledger, outcome)).toMatch(/ is refused, and its money is: suspense$/);
    expect(await reconciled(request, { graceMs: 60_000 })).toEqual([]);
    expect(await reconciled(request)).toEqual(givenBack('completed'));
    expect(await world.balances(request.from)).toEqual([1_250_000]);
    expect(await disagreement(world.ledger, outcome)).toBeUndefined();
    expect(await reconciled(request)).toEqual([]);
  });
});

it('the schedule does the same, with a worker of its own, and tells a person what it cannot decide', {
  timeout: 120_000,
}, async () => {
  const [toGiveBack, toLookAt] = [await inMidTransfer(), await inMidTransfer()];
  for (const request of [toGiveBack, toLookAt]) await handleOf(request).terminate();
  await world.freeze(toLookAt.from);
  const cli = new URL('../src/extras/cli.ts', import.meta.url);
  expect(await turnOnSchedule({ client, cli, taskQueue: 'transfer-reconcile', env: world.env })).toMatchObject({
    putRight: { first: expect.arrayContaining([expect.stringContaining(`${toGiveBack.reference}: `)]) },
    needAttention: {
      first: expect.arrayContaining([expect.stringMatching(new RegExp(`^${toLookAt.reference}: .* frozen`))]),
    },
  });
  expect(await world.balances(toGiveBack.from, toGiveBack.to)).toEqual([10_000, 0]);
  await world.unfreeze(toLookAt.from);
  expect(await reconciled(toLookAt)).toEqual(givenBack('terminated'));
});
