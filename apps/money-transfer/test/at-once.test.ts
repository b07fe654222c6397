import { describe, expect, it, vi } from 'vitest';
import {
  approveUpdate,
  type Decision,
  failureTypes,
  rejectUpdate,
  type TransferInput,
  type TransferOutcome,
  type TransferRequest,
} from '../src/contract.ts';
import { disagreement, whereIs } from '../src/extras/invariants.ts';
import { reconcile } from '../src/extras/reconcile.ts';
import { list, sendOrFind, transferState } from '../src/extras/transfers.ts';
import { send } from '../src/starter.ts';
import { realServer } from './real-server.ts';

const at = await realServer('transfer-at-once');

const tooMuch = 1_000_001;
const outcomeOf = (request: TransferRequest) => at.handleOf(request).executeUpdate<TransferOutcome, []>('outcome');
const agreed = async (outcome: TransferOutcome) => {
  expect(await disagreement(at.world.ledger, outcome)).toBeUndefined();
  return outcome;
};

async function waiting(changes: Partial<TransferRequest> = {}) {
  const request = await at.world.aTransfer({ amount: tooMuch, ...changes });
  const handle = await at.start(request);
  expect(await outcomeOf(request)).toMatchObject({ status: 'waiting-for-approval' });
  return { request, handle };
}

describe('at once', () => {
  it('requests of one reference, again and again around its end, are one transfer and answer the same', async () => {
    const request = await at.world.aTransfer();
    const outcomes: TransferOutcome[] = [];
    const ask = async () => {
      while (outcomes.length < 40) outcomes.push(await sendOrFind(at.client, request, 'ada'));
    };
    await Promise.all(Array.from({ length: 6 }, ask));
    expect(new Set(outcomes.map((one) => JSON.stringify(one)))).toHaveLength(1);
    expect(outcomes[0]).toEqual({ status: 'completed', reference: request.reference });
    expect(await at.world.asked(request.reference)).toEqual(['withdraw done', 'deposit:1 done']);
    expect(await at.world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
  });

  it('one of two requests of one reference with other details is refused, whichever comes first', async () => {
    const request = await at.world.aTransfer();
    const both = await Promise.allSettled([
      sendOrFind(at.client, request, 'ada'),
      sendOrFind(at.client, { ...request, amount: 7 }, 'ada'),
    ]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { cause: { type: failureTypes.transferMismatch } },
    });
    expect(await at.world.wrong()).toEqual([]);
  });

  it('of many decisions one is taken, and the others are told', async () => {
    const { request, handle } = await waiting();
    const updates = [approveUpdate, rejectUpdate, approveUpdate, rejectUpdate, approveUpdate];
    const answers = await Promise.allSettled(
      updates.map((update, index) => handle.executeUpdate(update, { args: [{ by: `Carol ${index}` }] })),
    );
    const taken = answers.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
    expect(taken).toEqual([await handle.result()]);
    const told = answers.filter((one) => one.status === 'rejected').map(({ reason }) => reason);
    // One that arrives after the end is told by Temporal itself.
    const known = told.filter(({ name, cause }) => cause?.type === failureTypes.notWaiting || /NotFound/.test(name));
    expect(known).toHaveLength(4);
    await agreed(await handle.result());
    expect(await at.world.asked(request.reference)).toHaveLength(2);
  });

  it('a decision that comes with the end of the time, after a worker was away, is too late', async () => {
    const { request, handle } = await waiting({ approvalWithin: 2 });
    await at.stopWorker();
    const carol: Decision = { by: 'Carol' };
    const approved = handle.executeUpdate(approveUpdate, { args: [carol] }).catch((error) => error);
    await vi.waitFor(async () => {
      const { events } = await handle.fetchHistory();
      expect(events?.some((event) => event.timerFiredEventAttributes)).toBe(true);
    }, 20_000);
    await at.startWorker();
    expect(await approved).not.toHaveProperty('status');
    expect(await agreed(await handle.result())).toMatchObject({ status: 'expired' });
    expect(await at.world.balances(request.from, request.to)).toEqual([tooMuch, 0]);
  });

  it('A → B and B → A: all come to their end, and nothing is lost', async () => {
    const [a, b] = [await at.world.account(50_000), await at.world.account(50_000)];
    const there = (from: string, to: string) => at.world.aTransfer({ from, to, amount: 100 });
    const requests = await Promise.all(
      Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? there(a, b) : there(b, a))),
    );
    const outcomes = await Promise.all(requests.map((request) => send(at.client, request, 'ada')));
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['completed']));
    expect(await at.world.balances(a, b)).toEqual([50_000, 50_000]);
    expect(await at.world.wrong()).toEqual([]);
  });

  it('a hundred withdrawals that together overdraw leave exactly what is allowed', async () => {
    const [from, to] = [await at.world.account(2_000, { overdraft: 500 }), await at.world.account()];
    const legs = Array.from({ length: 100 }, async () => {
      const { reference, amount, currency } = await at.world.aTransfer({ from, to, amount: 100 });
      const key = `transfer:${reference}:withdraw`;
      return at.world.ledger.withdraw({
        key,
        at: new Date().toISOString(),
        reference,
        account: from,
        amount,
        currency,
      });
    });
    const done = await Promise.allSettled(legs);
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(25);
    expect(await at.world.balances(from)).toEqual([-500]);
    expect(await at.world.wrong()).toEqual([]);
  });
});

describe('at the server', () => {
  it('whoever asks for the outcome in the same breath as for a bad transfer gets the refusal', async () => {
    const request = await at.world.aTransfer({ amount: 0 });
    await expect(send(at.client, request, 'ada')).rejects.toMatchObject({
      cause: { type: failureTypes.invalidTransfer, message: 'amount: must be more than zero' },
    });
    await expect(at.handleOf(request).result()).rejects.toMatchObject({
      cause: { type: failureTypes.invalidTransfer },
    });
    expect(await at.world.asked(request.reference)).toEqual([]);
  });

  it('ALL-9 transfers are found by their status, and by who has started them', async () => {
    const startedBy = at.world.fresh('ada');
    const { reference } = await at.world.aTransfer();
    const request = await at.world.aTransfer({ reference, amount: tooMuch });
    await send(at.client, request, startedBy);
    const found = () => list(at.client, { status: 'waiting-for-approval', startedBy, limit: 10 });
    await vi.waitFor(async () => expect(await found()).toHaveLength(1), 10_000);
    expect(await found()).toMatchObject([
      { reference, status: 'waiting-for-approval', execution: 'RUNNING', startedBy },
    ]);
    expect(await transferState(at.client, reference)).toMatchObject({ status: 'waiting-for-approval' });
    await at.handleOf(request).executeUpdate(rejectUpdate, { args: [{ by: 'Carol' }] });
  });

  it('XFER-2 a transfer that was terminated is put right by the reconciler, which changes nothing the second time', async () => {
    const { request, handle } = await waiting();
    const other = await waiting();
    await handle.terminate('by the test');
    const reconcileNow = async () => {
      const found = [];
      for await (const one of reconcile({ client: at.client, ledger: at.world.ledger, graceMs: 0 })) found.push(one);
      const both = [request.reference, other.request.reference];
      return found.filter((one) => 'reference' in one && both.includes(one.reference));
    };
    expect(await reconcileNow()).toMatchObject([{ reference: request.reference, action: 'given back' }]);
    expect(await whereIs(at.world.ledger, request.reference)).toBe('given back');
    expect(await at.world.balances(request.from)).toEqual([tooMuch]);
    // The other one is under way, and none of the reconciler's business.
    expect(await whereIs(at.world.ledger, other.request.reference)).toBe('suspense');
    expect(await reconcileNow()).toEqual([]);
    await other.handle.executeUpdate(rejectUpdate, { args: [{ by: 'Carol' }] });
    await agreed(await other.handle.result());
    expect(await at.world.wrong()).toEqual([]);
  });

  it.each(['completed', 'refunded'] as const)(
    'a reset of a transfer that is %s moves nothing again',
    async (ending) => {
      const request = await at.world.aTransfer(
        ending === 'refunded' ? { to: await at.world.account(Number.MAX_SAFE_INTEGER) } : {},
      );
      const handle = await at.start(request);
      expect(await handle.result()).toMatchObject({ status: ending });
      const before = [await at.world.balances(request.from), await at.world.asked(request.reference)];
      // The end of the first task: nothing had been decided before it.
      const { events } = await handle.fetchHistory();
      const first = events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId;
      await at.client.workflowService.resetWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId: handle.workflowId, runId: handle.firstExecutionRunId },
        reason: 'by the test',
        requestId: request.reference,
        workflowTaskFinishEventId: first ?? null,
      });
      const again = at.handleOf(request);
      expect((await again.describe()).runId).not.toBe(handle.firstExecutionRunId);
      expect(await agreed(await again.result())).toMatchObject({ status: ending });
      expect([await at.world.balances(request.from), await at.world.asked(request.reference)]).toEqual(before);
    },
  );

  it('a transfer that was started as plain JSON, without what has a default, is found by the same JSON', async () => {
    const request = await at.world.aTransfer({ amount: tooMuch });
    const { approvalWithin: _, ...short } = request;
    await at.start(short);
    expect(
      await at.handleOf(request).executeUpdate<TransferOutcome, [TransferInput]>('outcome', { args: [short] }),
    ).toMatchObject({
      status: 'waiting-for-approval',
    });
    await at.handleOf(request).cancel();
    expect(await agreed(await at.handleOf(request).result())).toMatchObject({ status: 'cancelled' });
  });
});
