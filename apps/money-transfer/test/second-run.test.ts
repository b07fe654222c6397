import { describe, expect, it } from 'vitest';
import { legKey } from '../src/contract.ts';
import { timeSkipping } from './time-skipping.ts';

const at = await timeSkipping('transfer-second-run');

/** Completed, and about to be run again: as after Temporal has forgotten it, for the reuse policy of the starter would refuse. */
async function completed() {
  const request = await at.world.aTransfer();
  await at.start(request);
  expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
  return request;
}

describe('XFER-1 a second run of one reference', () => {
  it('with the same details moves nothing again, and answers the same', async () => {
    const request = await completed();
    await at.start(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
    expect(await at.world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
  });

  it.each([
    ['to', { to: 'somebody-else' }],
    ['requestedBy', { requestedBy: 'Bob' }],
    ['approvalWithin', { approvalWithin: 60 }],
    ['amount', { amount: 7 }],
    ['from', { from: 'somebody-else' }],
  ])('with another %s is refused: the ledger remembers', async (_, changes) => {
    const request = await completed();
    await at.start({ ...request, ...changes });
    expect(await at.handleOf(request).result()).toMatchObject({
      status: 'refused',
      reason: { type: 'LedgerMismatch' },
    });
    expect(await at.world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
    expect(await at.world.asked(request.reference)).toHaveLength(2);
  });

  it.each([
    ['the same details is completed', {}, { status: 'completed' }],
    ['other details is refused', { to: 'somebody-else' }, { status: 'refused', reason: { type: 'LedgerMismatch' } }],
  ])('that is cancelled before the ledger has recognised it, with %s', async (_, changes, ending) => {
    const request = await completed();
    at.world.faults.on({ point: 'before-transaction', of: 'withdraw' });
    const handle = await at.start({ ...request, ...changes });
    await at.failing(request);
    await handle.cancel();
    at.world.faults.off();
    expect(await handle.result()).toMatchObject(ending);
    expect(await at.world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
  });
});

it('XFER-2 a deposit whose key was used for something else is given back', async () => {
  const request = await at.world.aTransfer();
  const { reference } = request;
  const other = { key: legKey.deposit(reference, 1), at: new Date().toISOString(), reference };
  const account = await at.world.account();
  await expect(at.world.ledger.deposit({ ...other, account })).rejects.toMatchObject({ type: 'NothingInSuspense' });
  await at.start(request);
  expect(await at.endOf(request)).toMatchObject({ status: 'refunded', reason: { type: 'LedgerMismatch' } });
  expect(await at.world.balances(request.from, request.to, account)).toEqual([10_000, 0, 0]);
});
