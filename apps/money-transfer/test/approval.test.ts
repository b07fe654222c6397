import { describe, expect, it } from 'vitest';
import {
  approveUpdate,
  type Decision,
  failureTypes,
  needsApproval,
  rejectUpdate,
  type TransferRequest,
} from '../src/contract.ts';
import { disagreement, whereIs } from '../src/extras/invariants.ts';
import { approve, reject, sendOrFind } from '../src/extras/transfers.ts';
import { timeSkipping } from './time-skipping.ts';

const at = await timeSkipping('transfer-approval');

/** More than 10,000.00 EUR. */
const tooMuch = 1_000_001;

const large = (changes: Partial<TransferRequest> = {}) => at.world.aTransfer({ amount: tooMuch, ...changes });

/** Starts it, and waits until it waits: the money is in suspense by then. */
async function waiting(changes: Partial<TransferRequest> = {}) {
  const request = await large(changes);
  const handle = await at.start(request);
  const outcome = await at.outcomeOf(request);
  expect(outcome).toMatchObject({ status: 'waiting-for-approval', reference: request.reference });
  expect(await disagreement(at.world.ledger, outcome)).toBeUndefined();
  return { request, handle };
}

/** One for all decisions that are refused: it goes on waiting. */
let refusing: ReturnType<typeof waiting> | undefined;
const waitsOn = () => {
  refusing ??= waiting();
  return refusing;
};

const refusedWith = (type: string, message?: string) => ({
  cause: { type, ...(message === undefined ? {} : { message: expect.stringContaining(message) }) },
});

describe('XFER-4 a transfer above the limit', () => {
  it('waits with its money in suspense, and is completed once somebody else has approved it', async () => {
    const { request } = await waiting();
    expect(await at.world.balances(request.from, request.to)).toEqual([0, 0]);
    expect((await at.handleOf(request).describe()).searchAttributes).toMatchObject({
      Status: ['waiting-for-approval'],
    });
    expect(await sendOrFind(at.env.client, request, 'ada')).toMatchObject({ status: 'waiting-for-approval' });
    expect(await approve(at.env.client, request.reference, { by: 'Carol' })).toMatchObject({ status: 'completed' });
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
    expect(await at.world.balances(request.from, request.to)).toEqual([0, tooMuch]);
  });

  it('gives the money back if somebody rejects it, and says who', async () => {
    const { request } = await waiting();
    const { reference } = request;
    expect(await reject(at.env.client, reference, { by: ' Carol ' })).toEqual({
      status: 'rejected',
      reference,
      by: 'Carol',
    });
    expect(await at.endOf(request)).toEqual({ status: 'rejected', reference, by: 'Carol' });
    expect(await at.world.asked(reference)).toEqual(['withdraw done', 'refund:1 done']);
    expect(await at.world.balances(request.from, request.to)).toEqual([tooMuch, 0]);
  });

  it('gives the money back if nobody has decided within a day', async () => {
    const { request } = await waiting();
    await at.env.sleep('23 hours');
    expect(await whereIs(at.world.ledger, request.reference)).toBe('suspense');
    expect(await at.endOf(request)).toEqual({ status: 'expired', reference: request.reference });
    expect(await at.world.balances(request.from, request.to)).toEqual([tooMuch, 0]);
  });

  it('expires after the time that was asked for', async () => {
    const before = await at.env.currentTimeMs();
    const { request } = await waiting({ approvalWithin: 90 });
    expect(await at.endOf(request)).toMatchObject({ status: 'expired' });
    const took = (await at.env.currentTimeMs()) - before;
    expect([took >= 90_000, took < 3_600_000]).toEqual([true, true]);
  });

  it('of exactly the limit waits for nobody', async () => {
    const request = await large({ amount: tooMuch - 1 });
    await at.start(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
  });

  it.each([
    ['EUR', 1_000_000],
    ['JPY', 1_500_000],
    ['KWD', 3_000_000],
  ])('has a limit of its own in %s', (currency, limit) => {
    expect([needsApproval({ amount: limit, currency }), needsApproval({ amount: limit + 1, currency })]).toEqual([
      false,
      true,
    ]);
  });
});

describe('XFER-4 a decision', () => {
  it.each(['Ada', 'ada', ' ADA ', 'Ａda'])('of %j, who has asked for the transfer, is refused', async (by) => {
    const { request, handle } = await waitsOn();
    for (const update of [approveUpdate, rejectUpdate]) {
      await expect(handle.executeUpdate(update, { args: [{ by }] })).rejects.toMatchObject(
        refusedWith(failureTypes.ownTransfer),
      );
    }
    expect(await whereIs(at.world.ledger, request.reference)).toBe('suspense');
  });

  it.each([
    [{ by: '' }, 'by: must not be empty'],
    [{ by: 'x'.repeat(101) }, 'by: must have at most 100 characters'],
    [{ by: 'Ca\u0000rol' }, 'by: must not contain control characters'],
    [{ by: 'ad\u200ba' }, 'by: must not contain control characters'],
    [{ by: 7 }, 'by: must be text'],
    [{}, 'by: must be text'],
    [undefined, 'input: '],
  ])('%j is refused by field', async (decision, message) => {
    const { request, handle } = await waitsOn();
    for (const update of [approveUpdate, rejectUpdate]) {
      await expect(handle.executeUpdate(update, { args: [decision as Decision] })).rejects.toMatchObject(
        refusedWith(failureTypes.invalidTransfer, message),
      );
    }
    expect(await whereIs(at.world.ledger, request.reference)).toBe('suspense');
  });

  it('of anybody else is taken after all these', async () => {
    const { request, handle } = await waitsOn();
    expect(await handle.executeUpdate(rejectUpdate, { args: [{ by: 'Adam' }] })).toMatchObject({ status: 'rejected' });
    expect(await at.endOf(request)).toMatchObject({ by: 'Adam' });
  });

  it('is taken only while the transfer waits', async () => {
    const request = await large();
    at.world.faults.on({ point: 'before-transaction', of: 'withdraw', calls: 1, effect: 'hang' });
    const handle = await at.start(request);
    await at.met('before-transaction of withdraw');
    const by = { args: [{ by: 'Carol' }] as [Decision] };
    await expect(handle.executeUpdate(approveUpdate, by)).rejects.toMatchObject(refusedWith(failureTypes.notWaiting));
    at.world.faults.off();
    await at.outcomeOf(request);
    at.world.faults.on({ point: 'before-transaction', of: 'deposit', calls: 1, effect: 'hang' });
    const approved = handle.executeUpdate(approveUpdate, by);
    await at.met('before-transaction of deposit');
    await expect(handle.executeUpdate(rejectUpdate, { args: [{ by: 'Dora' }] })).rejects.toMatchObject(
      refusedWith(failureTypes.notWaiting, 'Carol has approved it'),
    );
    at.world.faults.off();
    expect(await approved).toMatchObject({ status: 'completed' });
    await expect(approve(at.env.client, request.reference, { by: 'Dora' })).rejects.toMatchObject(
      refusedWith(failureTypes.notWaiting, 'is completed'),
    );
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
  });

  it('on a small transfer is refused', async () => {
    const request = await at.world.aTransfer();
    at.world.faults.on({ point: 'before-transaction', of: 'deposit', calls: 1, effect: 'hang' });
    const handle = await at.start(request);
    await at.met('before-transaction of deposit');
    await expect(handle.executeUpdate(approveUpdate, { args: [{ by: 'Carol' }] })).rejects.toMatchObject(
      refusedWith(failureTypes.notWaiting),
    );
    at.world.faults.off();
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
  });
});
