import { describe, expect, it } from 'vitest';
import {
  approveUpdate,
  type Decision,
  failureTypes,
  type Leg,
  rejectUpdate,
  resolveUpdate,
  stateQuery,
  type TransferRequest,
} from '../src/contract.ts';
import { disagreement, whereIs } from '../src/extras/invariants.ts';
import { resolve } from '../src/extras/transfers.ts';
import { timeSkipping } from './time-skipping.ts';

const at = await timeSkipping('transfer-attention');

const carol = { args: [{ by: 'Carol' }] as [Decision] };

/** Target and sender are frozen while the deposit is on its way: nobody can take the money. */
async function stuck(changes: Partial<TransferRequest> = {}) {
  const request = await at.world.aTransfer(changes);
  at.world.faults.on({ point: 'before-transaction', of: 'deposit', calls: 1, effect: 'hang' });
  const handle = await at.start(request);
  await at.met('before-transaction of deposit');
  await at.world.freeze(request.from, request.to);
  at.world.faults.off();
  const outcome = await at.outcomeOf(request);
  expect(outcome).toMatchObject({
    status: 'needs-attention',
    problem: { leg: 'refund', type: 'AccountFrozen', isBeingTried: false },
  });
  expect(await disagreement(at.world.ledger, outcome)).toBeUndefined();
  return { request, handle };
}

const statusOf = async (request: TransferRequest) => (await at.handleOf(request).describe()).searchAttributes.Status;

describe.each(['withdraw', 'deposit', 'refund'] as const)('XFER-2 a %s that is not answered', (leg: Leg) => {
  const endings = { withdraw: 'completed', deposit: 'completed', refund: 'refunded' };
  const request = async () =>
    at.world.aTransfer(leg === 'refund' ? { to: await at.world.account(Number.MAX_SAFE_INTEGER) } : {});

  it('is asked again with the same key: a reply that is lost after COMMIT moves nothing twice', async () => {
    const lost = await request();
    at.world.faults.on({ point: 'after-commit', of: leg, calls: 2 });
    await at.start(lost);
    expect(await at.endOf(lost)).toMatchObject({ status: endings[leg] });
    expect(at.world.faults.met).toHaveLength(2);
    const keys = await at.world.asked(lost.reference);
    expect(keys).toHaveLength(leg === 'refund' ? 3 : 2);
    expect(await at.world.balances(lost.from)).toEqual([leg === 'refund' ? 10_000 : 8_750]);
  });

  it('for five minutes needs attention, while it is still being asked for', async () => {
    const slow = await request();
    at.world.faults.on({ point: 'after-commit', of: leg });
    const handle = await at.start(slow);
    await at.env.sleep('4 minutes');
    expect(await handle.query(stateQuery)).not.toHaveProperty('outcome');
    await at.env.sleep('3 minutes');
    const problem = { leg, type: 'SimulatedFault', message: expect.any(String), isBeingTried: true };
    expect(await at.outcomeOf(slow)).toMatchObject({ status: 'needs-attention', problem });
    expect(await statusOf(slow)).toEqual(['needs-attention']);
    // Nothing is left for a person to decide.
    await expect(handle.executeUpdate(resolveUpdate, carol)).rejects.toMatchObject({
      cause: { type: failureTypes.nothingToResolve },
    });
    at.world.faults.off();
    expect(await at.endOf(slow)).toMatchObject({ status: endings[leg] });
    expect(await statusOf(slow)).toEqual([endings[leg]]);
  });
});

describe('XFER-2 a database that is down', () => {
  it('when the transfer starts: it goes on when the database is back', async () => {
    const request = await at.world.aTransfer();
    await at.world.postgres.down();
    const handle = await at.start(request);
    await at.env.sleep('6 minutes');
    expect(await handle.query(stateQuery)).toMatchObject({
      status: 'needs-attention',
      outcome: { problem: { leg: 'withdraw', type: 'DatabaseUnavailable' } },
    });
    await at.world.postgres.up();
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
    expect(await at.world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
  });
});

describe('ALL-12 money that neither side can take', () => {
  it('rests in suspense, is shown, and reaches the target once that is open again', async () => {
    const { request, handle } = await stuck();
    await at.env.sleep('3 days');
    expect(await statusOf(request)).toEqual(['needs-attention']);
    expect(await whereIs(at.world.ledger, request.reference)).toBe('suspense');
    expect(await handle.query(stateQuery)).toMatchObject({ status: 'needs-attention', attempt: 1 });
    await at.world.unfreeze(request.to);
    expect(await resolve(at.env.client, request.reference, { by: 'Carol' })).toMatchObject({ status: 'completed' });
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
    expect(await at.world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
    expect(await at.world.asked(request.reference)).toEqual([
      'withdraw done',
      'deposit:1 refused',
      'refund:1 refused',
      'deposit:2 done',
    ]);
  });

  it('goes back once the sender is open again', async () => {
    const { request, handle } = await stuck();
    await at.world.unfreeze(request.from);
    expect(await handle.executeUpdate(resolveUpdate, carol)).toMatchObject({ status: 'refunded' });
    expect(await at.endOf(request)).toMatchObject({ status: 'refunded', reason: { type: 'AccountFrozen' } });
    expect(await at.world.balances(request.from, request.to)).toEqual([10_000, 0]);
    expect((await at.world.asked(request.reference)).slice(3)).toEqual(['deposit:2 refused', 'refund:2 done']);
  });

  it('rests there if it is resolved too early, and can be resolved again', async () => {
    const { request, handle } = await stuck();
    expect(await handle.executeUpdate(resolveUpdate, carol)).toMatchObject({ status: 'needs-attention' });
    expect(await whereIs(at.world.ledger, request.reference)).toBe('suspense');
    await at.world.unfreeze(request.from, request.to);
    expect(await handle.executeUpdate(resolveUpdate, carol)).toMatchObject({ status: 'completed' });
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
    expect((await at.world.asked(request.reference)).slice(3)).toEqual([
      'deposit:2 refused',
      'refund:2 refused',
      'deposit:3 done',
    ]);
  });

  it('can be resolved once at a time, by somebody with a name', async () => {
    const { request, handle } = await stuck();
    await expect(handle.executeUpdate(resolveUpdate, { args: [{ by: '' }] })).rejects.toMatchObject({
      cause: { type: failureTypes.invalidTransfer },
    });
    await at.world.unfreeze(request.from, request.to);
    const both = await Promise.allSettled([
      handle.executeUpdate(resolveUpdate, carol),
      handle.executeUpdate(resolveUpdate, carol),
    ]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
    expect(await at.world.asked(request.reference)).toHaveLength(4);
    await expect(resolve(at.env.client, request.reference, { by: 'Carol' })).rejects.toMatchObject({
      cause: { type: failureTypes.nothingToResolve },
    });
  });

  it('is not brought to the target any more after the transfer was cancelled', async () => {
    const { request, handle } = await stuck();
    await handle.cancel();
    await at.world.unfreeze(request.from, request.to);
    expect(await handle.executeUpdate(resolveUpdate, carol)).toMatchObject({ status: 'refunded' });
    await at.endOf(request);
    expect(await at.world.balances(request.from, request.to)).toEqual([10_000, 0]);
  });

  it('is not brought to the target by resolving a transfer that was rejected', async () => {
    const request = await at.world.aTransfer({ amount: 2_000_000 });
    const handle = await at.start(request);
    await at.outcomeOf(request);
    await at.world.freeze(request.from);
    expect(await handle.executeUpdate(rejectUpdate, carol)).toMatchObject({ status: 'needs-attention' });
    expect(await whereIs(at.world.ledger, request.reference)).toBe('suspense');
    await expect(handle.executeUpdate(approveUpdate, carol)).rejects.toMatchObject({
      cause: { type: failureTypes.notWaiting },
    });
    await at.world.unfreeze(request.from);
    expect(await handle.executeUpdate(resolveUpdate, carol)).toMatchObject({ status: 'rejected', by: 'Carol' });
    await at.endOf(request);
    expect(await at.world.asked(request.reference)).toEqual(['withdraw done', 'refund:1 refused', 'refund:2 done']);
  });
});
