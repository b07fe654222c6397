import { describe, expect, it } from 'vitest';
import {
  failureTypes,
  stateQuery,
  type TransferInput,
  type TransferRequest,
  transferWorkflowId,
} from '../src/contract.ts';
import { whereIs } from '../src/extras/invariants.ts';
import { sendOrFind } from '../src/extras/transfers.ts';
import { send } from '../src/starter.ts';
import { timeSkipping } from './time-skipping.ts';

const at = await timeSkipping('transfer-workflows');

describe('XFER-1 a transfer', () => {
  it('takes the money from one account and brings it to the other', async () => {
    const request = await at.world.aTransfer();
    const { reference, from, to } = request;
    expect(await send(at.env.client, request, 'ada')).toEqual({ status: 'completed', reference });
    expect(await at.world.balances(from, to)).toEqual([8_750, 1_250]);
    expect(await at.world.asked(reference)).toEqual(['withdraw done', 'deposit:1 done']);
    const [entry] = (await at.world.ledger.statement({ account: to })).entries;
    expect(entry).toMatchObject({ amount: 1_250, counterparty: 'suspense:EUR', kind: 'deposit' });
    expect((await at.handleOf(request).describe()).searchAttributes).toMatchObject({
      Status: ['completed'],
      StartedBy: ['ada'],
    });
    expect(await at.handleOf(request).query(stateQuery)).toMatchObject({ request, status: 'completed', attempt: 1 });
  });

  it('of all that the account has, and of its overdraft, comes to its end', async () => {
    const from = await at.world.account(1_000, { overdraft: 500 });
    const request = await at.world.aTransfer({ from, amount: 1_500 });
    await at.start(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
    expect(await at.world.balances(from, request.to)).toEqual([-500, 1_500]);
  });

  it('in a currency without decimals, too', async () => {
    const request = await at.world.aTransfer({ currency: 'JPY', amount: 1_234 });
    await at.start(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
    expect(await at.world.balances(request.to)).toEqual([1_234]);
  });

  it('takes its business time from the workflow', async () => {
    await at.env.sleep('400 days');
    const before = await at.env.currentTimeMs();
    const request = await at.world.aTransfer();
    await at.start(request);
    await at.endOf(request);
    const [entry] = (await at.world.ledger.statement({ account: request.to })).entries;
    expect(Date.parse(entry?.at ?? '')).toBeGreaterThanOrEqual(before);
  });
});

describe('XFER-1 the same reference', () => {
  it('with the same details answers the same, while the transfer is open and after its end', async () => {
    const request = await at.world.aTransfer();
    const both = await Promise.all([
      sendOrFind(at.env.client, request, 'ada'),
      sendOrFind(at.env.client, request, 'ada'),
    ]);
    both.push(await sendOrFind(at.env.client, request, 'ada'));
    // What has a default may be left out.
    const { approvalWithin: _, ...short } = request;
    both.push(await sendOrFind(at.env.client, short, 'ada'));
    expect(new Set(both.map((one) => JSON.stringify(one)))).toHaveLength(1);
    expect(both[0]).toEqual({ status: 'completed', reference: request.reference });
    expect(await at.world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
  });

  it.each([
    ['amount', { amount: 1_251 }],
    ['to', { to: 'somebody-else' }],
    ['from', { from: 'somebody-else' }],
    ['currency', { currency: 'USD' }],
    ['requestedBy', { requestedBy: 'Bob' }],
    ['approvalWithin', { approvalWithin: 60 }],
    ['from, amount', { from: 'somebody-else', amount: 7 }],
  ] as const)('with another %s is refused, while it is open and after its end', async (fields, changes) => {
    const request = await at.world.aTransfer();
    at.world.faults.on({ point: 'before-transaction', of: 'deposit', calls: 1, effect: 'hang' });
    await at.start(request);
    await at.met('before-transaction of deposit');
    const other = { ...request, ...changes };
    const refused = {
      cause: {
        type: failureTypes.transferMismatch,
        message: `${fields}: transfer ${request.reference} exists with other details`,
      },
    };
    await expect(sendOrFind(at.env.client, other, 'ada')).rejects.toMatchObject(refused);
    at.world.faults.off();
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
    await expect(sendOrFind(at.env.client, other, 'ada')).rejects.toMatchObject(refused);
    expect(await at.world.balances(request.from, request.to)).toEqual([8_750, 1_250]);
  });
});

describe('XFER-2 what the ledger refuses to withdraw', () => {
  it.each([
    ['InsufficientFunds', (request: TransferRequest) => ({ ...request, amount: 10_001 })],
    ['UnknownAccount', (request: TransferRequest) => ({ ...request, from: 'nobody' })],
    ['CurrencyMismatch', (request: TransferRequest) => ({ ...request, currency: 'USD' })],
    [
      'AccountFrozen',
      async (request: TransferRequest): Promise<TransferRequest> => {
        await at.world.freeze(request.from);
        return request;
      },
    ],
    [
      'AccountClosed',
      async (request: TransferRequest): Promise<TransferRequest> => {
        const from = await at.world.account();
        await at.world.close(from);
        return { ...request, from };
      },
    ],
  ] as const)('%s: nothing moves', async (type, spoil) => {
    const whole = await at.world.aTransfer();
    const request = (await spoil(whole)) as TransferInput;
    await at.start(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'refused', reason: { type } });
    expect(await at.world.balances(whole.from, whole.to)).toEqual([10_000, 0]);
    expect(await at.world.asked(request.reference)).toEqual(['withdraw refused']);
    expect((await at.handleOf(request).describe()).searchAttributes).toMatchObject({ Status: ['refused'] });
  });
});

describe('XFER-2 a target that cannot take it', () => {
  it.each([
    ['UnknownAccount', async (): Promise<string> => 'nobody'],
    ['CurrencyMismatch', () => at.world.account(0, { currency: 'USD' })],
    ['AccountFrozen', () => at.world.account().then((to) => at.world.freeze(to).then(() => to))],
    ['AccountClosed', () => at.world.account().then((to) => at.world.close(to).then(() => to))],
  ] as const)('%s: nothing moves, and the reason names it', async (type, target) => {
    const request = await at.world.aTransfer({ to: await target() });
    await at.start(request);
    const message = expect.stringMatching(new RegExp(` ${request.to}( |$)`));
    expect(await at.endOf(request)).toMatchObject({ status: 'refused', reason: { type, message } });
    expect(await at.world.balances(request.from)).toEqual([10_000]);
    expect(await at.world.asked(request.reference)).toEqual(['withdraw refused']);
  });

  it.each([
    ['BalanceTooLarge', { balance: Number.MAX_SAFE_INTEGER }, async (): Promise<void> => {}],
    ['AccountFrozen', {}, (to: string) => at.world.freeze(to)],
    ['AccountClosed', {}, (to: string) => at.world.close(to)],
  ] as const)(
    '%s, as is found at the deposit: the money is given back, under a key of its own',
    async (type, { balance = 0 }: { balance?: number }, spoil) => {
      const request = await at.world.aTransfer({ to: await at.world.account(balance) });
      at.world.faults.on({ point: 'before-transaction', of: 'deposit', calls: 1, effect: 'hang' });
      await at.start(request);
      await at.met('before-transaction of deposit');
      await spoil(request.to);
      at.world.faults.off();
      expect(await at.endOf(request)).toMatchObject({ status: 'refunded', reason: { type } });
      expect(await at.world.balances(request.from)).toEqual([10_000]);
      expect(await at.world.asked(request.reference)).toEqual(['withdraw done', 'deposit:1 refused', 'refund:1 done']);
      const kinds = (await at.world.ledger.statement({ account: request.from })).entries.map(({ kind }) => kind);
      expect(kinds.toSorted()).toEqual(['pay-in', 'refund', 'withdrawal']);
    },
  );
});

describe('bad input', () => {
  it.each([
    ['amount', 0, 'must be more than zero'],
    ['amount', -1, 'must be more than zero'],
    ['amount', 12.5, 'must be a whole number of minor units'],
    ['amount', 1e21, 'must be a whole number of minor units'],
    ['amount', '12', 'must be a whole number of minor units'],
    ['currency', 'XXX', 'must be one of AUD'],
    ['currency', 'eur', 'must be one of AUD'],
    ['to', 'same', 'must be another account than from'],
    ['from', 'a b', 'must be 1 to 64 letters'],
    ['reference', '', 'must be 1 to 100 letters'],
    ['reference', 'x'.repeat(300), 'must be 1 to 100 letters'],
    ['reference', 'a\u0000b', 'must be 1 to 100 letters'],
    ['requestedBy', '  ', 'must not be empty'],
    ['approvalWithin', 0, 'must be at least 1'],
  ])('%s %j fails at the first line, and nothing is asked of the ledger', async (field, value, message) => {
    const good = { ...(await at.world.aTransfer()), from: 'same' };
    const request = { ...good, [field]: value } as TransferInput;
    const handle = await at.env.client.workflow.start('transfer', {
      workflowId: transferWorkflowId(at.world.fresh('bad')),
      taskQueue: 'transfer-workflows',
      args: [request],
    });
    const refused = {
      cause: {
        type: failureTypes.invalidTransfer,
        nonRetryable: true,
        message: expect.stringContaining(`${field}: ${message}`),
      },
    };
    await expect(handle.result()).rejects.toMatchObject(refused);
    expect(await at.world.asked('%')).not.toContain(expect.stringContaining(good.reference));
    expect(await whereIs(at.world.ledger, good.reference)).toBe('untouched');
  });

  it('another workflow id than that of the reference is refused', async () => {
    const request = await at.world.aTransfer();
    const handle = await at.env.client.workflow.start('transfer', {
      workflowId: `${request.reference}-by-hand`,
      taskQueue: 'transfer-workflows',
      args: [request],
    });
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: failureTypes.invalidTransfer } });
    expect(await at.world.asked(request.reference)).toEqual([]);
  });

  it('nothing at all, or a field that only a newer client knows', async () => {
    const handle = await at.env.client.workflow.start('transfer', {
      workflowId: transferWorkflowId(at.world.fresh('bad')),
      taskQueue: 'transfer-workflows',
    });
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: failureTypes.invalidTransfer } });
    const request = { ...(await at.world.aTransfer()), priority: 'high' };
    await at.start(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'completed' });
  });
});
