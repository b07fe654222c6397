import { describe, expect, it, vi } from 'vitest';
import { legKey, type TransferRequest } from '../src/contract.ts';
import { timeSkipping } from './time-skipping.ts';

const at = await timeSkipping('transfer-cancelling');

/** Resolves when the cancellation has reached the running activity: this server does not bear both at once. */
const askedToCancel = (request: TransferRequest) =>
  vi.waitFor(async () => {
    const { events } = await at.handleOf(request).fetchHistory();
    expect(events?.some((event) => event.activityTaskCancelRequestedEventAttributes)).toBe(true);
  }, 4_000);

describe('XFER-2 a transfer that is cancelled', () => {
  const cancelled = async (request: TransferRequest, ending: object, asked: string[]) => {
    expect(await at.endOf(request)).toMatchObject(ending);
    expect(await at.world.asked(request.reference)).toEqual(asked);
  };

  it('before the withdrawal has arrived: it is refused when it does', async () => {
    const request = await at.world.aTransfer();
    at.world.faults.on({ point: 'before-transaction', of: 'withdraw' });
    const handle = await at.start(request);
    await at.failing(request);
    await handle.cancel();
    await cancelled(request, { status: 'cancelled' }, ['refund:1 done']);
    const late = { key: legKey.withdraw(request.reference), at: new Date().toISOString(), account: request.from };
    const { reference, amount, currency } = request;
    await expect(at.world.ledger.withdraw({ ...late, reference, amount, currency })).rejects.toMatchObject({
      type: 'Cancelled',
    });
    expect(await at.world.balances(request.from)).toEqual([10_000]);
  });

  it('after a withdrawal of which nobody knows: the money is given back', async () => {
    const request = await at.world.aTransfer();
    at.world.faults.on({ point: 'after-commit', of: 'withdraw' });
    const handle = await at.start(request);
    await at.failing(request);
    await handle.cancel();
    await cancelled(request, { status: 'cancelled' }, ['withdraw done', 'refund:1 done']);
    expect(await at.world.balances(request.from)).toEqual([10_000]);
  });

  it.each(['withdraw', 'deposit'] as const)('during a %s that succeeds', async (leg) => {
    const request = await at.world.aTransfer();
    at.world.faults.on({ point: 'before-transaction', of: leg, calls: 1, effect: 'hang' });
    const handle = await at.start(request);
    await at.met(`before-transaction of ${leg}`);
    await handle.cancel();
    await askedToCancel(request);
    at.world.faults.off();
    if (leg === 'deposit') await cancelled(request, { status: 'completed' }, ['withdraw done', 'deposit:1 done']);
    else await cancelled(request, { status: 'cancelled' }, ['withdraw done', 'refund:1 done']);
  });

  it('during a withdrawal that is refused', async () => {
    const request = await at.world.aTransfer({ from: 'nobody' });
    at.world.faults.on({ point: 'before-transaction', of: 'withdraw', calls: 1, effect: 'hang' });
    const handle = await at.start(request);
    await at.met('before-transaction of withdraw');
    await handle.cancel();
    await askedToCancel(request);
    at.world.faults.off();
    await cancelled(request, { status: 'refused' }, ['withdraw refused']);
  });

  it('while it waits for approval', async () => {
    const request = await at.world.aTransfer({ amount: 2_000_000 });
    const handle = await at.start(request);
    await at.outcomeOf(request);
    await handle.cancel();
    await cancelled(request, { status: 'cancelled' }, ['withdraw done', 'refund:1 done']);
  });

  it('before the deposit has arrived: it is refused when it does', async () => {
    const request = await at.world.aTransfer();
    at.world.faults.on({ point: 'before-transaction', of: 'deposit' });
    const handle = await at.start(request);
    await vi.waitFor(() => expect(at.world.faults.met.length).toBeGreaterThan(1), 10_000);
    await handle.cancel();
    await cancelled(request, { status: 'cancelled' }, ['withdraw done', 'refund:1 done']);
    const { reference, to } = request;
    const late = { key: legKey.deposit(reference, 1), at: new Date().toISOString(), reference, account: to };
    await expect(at.world.ledger.deposit(late)).rejects.toMatchObject({ type: 'NothingInSuspense' });
    expect(await at.world.balances(request.from, to)).toEqual([10_000, 0]);
  });

  it('after a deposit of which nobody knows: the transfer is completed', async () => {
    const request = await at.world.aTransfer();
    at.world.faults.on({ point: 'after-commit', of: 'deposit' });
    const handle = await at.start(request);
    await at.met('after-commit of deposit');
    await handle.cancel();
    await cancelled(request, { status: 'completed' }, ['withdraw done', 'deposit:1 done', 'refund:1 refused']);
    expect(await at.world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
  });

  it('while the money goes back', async () => {
    const request = await at.world.aTransfer({ to: await at.world.account(Number.MAX_SAFE_INTEGER) });
    at.world.faults.on({ point: 'before-transaction', of: 'refund', calls: 2 });
    const handle = await at.start(request);
    await at.met('before-transaction of refund');
    await handle.cancel();
    await cancelled(request, { status: 'refunded' }, ['withdraw done', 'deposit:1 refused', 'refund:1 done']);
  });
});
