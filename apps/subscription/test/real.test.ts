import { Faults } from '@repo/testing';
import { describe, expect, it, vi } from 'vitest';
import * as contract from '../src/contract.ts';
import * as subscriptions from '../src/extras/subscriptions.ts';
import { hourly, quick, realServer } from './real-server.ts';

const at = await realServer('subscription-real');
const { world, client, handleOf } = at;

describe('SUB-8 a reset', () => {
  const updates = 2; // temporal.api.enums.v1.ResetReapplyExcludeType
  /** To right after the first task of the first run. @param isForgetful the updates that came later do not come again */
  const reset = async (
    { workflowId, firstExecutionRunId: runId }: { workflowId: string; firstExecutionRunId: string },
    { isForgetful = false } = {},
  ) => {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const firstTask = (events ?? []).find(({ workflowTaskCompletedEventAttributes: it }) => it);
    await client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId, runId },
      reason: 'a test',
      requestId: world.fresh('reset'),
      workflowTaskFinishEventId: firstTask?.eventId ?? null,
      ...(isForgetful && { resetReapplyExcludeTypes: [updates] }),
    });
  };

  it('to before a charge does not charge again', async () => {
    const request = await world.aSubscription({ plan: { ...quick, period: { seconds: 3 }, maxPeriods: 3 } });
    const handle = await at.start(request);
    const change = { price: 150, from: 3, changeId: 'spring', by: 'Bob' };
    await handle.executeUpdate(contract.changePriceUpdate, { args: [change] });
    const before = await at.endOf(request);
    expect(before.totals.charged).toBe(100 + 100 + 150);
    await reset(handle);
    expect(await at.endOf(request)).toMatchObject({ status: 'ended', totals: before.totals });
    expect(await world.booked(request)).toEqual(['charge 1: 100', 'charge 2: 100', 'charge 3: 150']);
  });

  it('takes up again what was asked for before: a change, an adjustment, a refund', async () => {
    const request = await world.aSubscription({ plan: { ...quick, period: { seconds: 4 } } });
    const handle = await at.start(request);
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    const credit = { reference: 'sorry', amount: 20, direction: 'credit', reason: 'r', by: 'Bob' } as const;
    await handle.executeUpdate(contract.adjustUpdate, { args: [credit] });
    await handle.executeUpdate(contract.refundUpdate, { args: [{ period: 1, by: 'Bob' }] });
    await handle.executeUpdate(contract.changePriceUpdate, { args: [{ price: 150, by: 'Bob' }] });
    await at.until(request, ({ periodsPaid }) => periodsPaid === 2);
    await reset(handle);
    await at.until(request, ({ periodsPaid, changes }) => periodsPaid === 2 && changes.length === 1);
    await handleOf(request).signal(contract.cancelSignal, { requestedAt: new Date().toISOString() });
    expect(await at.endOf(request)).toMatchObject({
      status: 'cancelled',
      totals: { charged: 250, refunded: 100, credited: 20, net: 130 },
    });
  });

  it('finds in the ledger that a charge was refunded, where nobody asks for that again', async () => {
    const request = await world.aSubscription({ plan: { ...quick, period: { seconds: 4 }, maxPeriods: 1 } });
    const handle = await at.start(request);
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    await handle.executeUpdate(contract.refundUpdate, { args: [{ period: 1, by: 'Bob' }] });
    await reset(handle, { isForgetful: true });
    expect(await at.endOf(request)).toMatchObject({
      status: 'ended',
      totals: { charged: 100, refunded: 100, net: 0 },
      refunds: [{ period: 1, by: 'ledger' }],
    });
  });

  it.each([
    ['in advance, without a time', { billing: 'in-advance' }, undefined, 'cancelled'],
    ['in arrears, without a time', { billing: 'in-arrears' }, undefined, 'cancelled'],
    ['after a trial, without a time', { billing: 'in-advance', trial: { seconds: 1 } }, undefined, 'cancelled'],
    ['with a time long ago, which takes a charge back', { billing: 'in-advance' }, 0, 'cancelled'],
    ['with one in the trial, that was heard of after it', { trial: { seconds: 1 } }, 1_000, 'trial-cancelled'],
  ] as const)('a cancellation is taken up again with all that was booked: %s', async (_, changes, asked, status) => {
    const isInTrial = status === 'trial-cancelled';
    const request = await world.aSubscription({ plan: { ...quick, period: { seconds: 2 }, ...changes } });
    const handle = await at.start(request);
    const { startedAt } = await at.until(request, ({ periodsPaid }) => periodsPaid === (isInTrial ? 1 : 2));
    const debit = { reference: 'visit', amount: 5, direction: 'debit', reason: 'r', by: 'Bob' } as const;
    await handle.executeUpdate(contract.adjustUpdate, { args: [debit] });
    const requestedAt = asked === undefined ? undefined : new Date(Date.parse(startedAt) + asked).toISOString();
    await handle.signal(contract.cancelSignal, { ...(requestedAt !== undefined && { requestedAt }) });
    const before = await at.endOf(request);
    expect(before).toMatchObject({ status, totals: { refunded: asked === undefined ? 0 : 100, debited: 5 } });
    const booked = await world.booked(request);
    // Then also the period after the last one that was charged for is over.
    await at.past(new Date(Date.parse(before.period?.endsAt ?? '') + 2_000).toISOString());
    await reset(handle);
    const { totals, periodsPaid, adjustments } = before;
    expect(await at.endOf(request)).toMatchObject({ status, totals, periodsPaid, adjustments: [debit] });
    expect(adjustments).toMatchObject([debit]);
    expect(await world.booked(request)).toEqual(booked);
  });

  it('does not take a no of the run before for an answer: who has money by then is charged', async () => {
    const customer = await world.customer({ balance: 0 });
    const plan = { ...hourly, dunning: [{ seconds: 1 }], maxPeriods: 1 };
    const request = await world.aSubscription({ customer, plan });
    const handle = await at.start(request);
    expect(await at.endOf(request)).toMatchObject({ status: 'unpaid', totals: { net: 0 } });
    await reset(handle);
    // Neither of these is another try of the first run's.
    await at.until(request, ({ status }) => status === 'past-due');
    await world.payIn(customer, 100);
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    expect(await world.asked(request.subscriptionId)).toEqual([
      'period:1:attempt:1 refused',
      'period:1:attempt:2 refused',
      'period:1:attempt:3 refused',
      'period:1:attempt:4 done',
    ]);
    // The customer is told of that no as well.
    const told = ['welcome', 'payment-declined', 'subscription-unpaid', 'payment-declined'];
    await vi.waitFor(async () => expect(await world.kindsTo(customer)).toEqual(told), 10_000);
    await handleOf(request).signal(contract.cancelSignal, { requestedAt: new Date().toISOString() });
    await handleOf(request).result();
  });
});

it('an id that was charged for before is refused, also when Temporal has forgotten it', async () => {
  const request = await world.aSubscription({ plan: { ...quick, maxPeriods: 1 } });
  await at.start(request);
  await at.endOf(request);
  const workflowExecution = { workflowId: handleOf(request).workflowId };
  await client.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution });
  await vi.waitFor(() => expect(handleOf(request).describe()).rejects.toThrow(/not found/), 60_000);
  const again = await subscriptions.subscribeOrFind(client, request, 'ada');
  expect(again).toMatchObject({ status: 'refused', reason: { type: 'SubscriptionIdTaken' }, totals: { charged: 0 } });
  expect(await world.booked(request)).toEqual(['charge 1: 100']);
});

describe('SUB-8 a charge that is on its way when it is cancelled', () => {
  it.each([
    ['before-transaction', 'before it begins', 0],
    ['after-commit', 'before it begins', 0],
    ['after-commit', 'after it has begun', 100],
  ] as const)('%s, asked for %s', async (point, when, kept) => {
    const request = await world.aSubscription({ plan: { ...quick, period: { seconds: 3 } } });
    await at.start(request);
    const { nextCharge } = await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    world.faults = new Faults();
    world.faults.on({ point, of: 'charge', effect: 'hang', calls: 1 });
    await vi.waitFor(() => expect(world.faults.met).toEqual([`${point} of charge`]), 20_000);
    const due = Date.parse(nextCharge?.at ?? '');
    const requestedAt = new Date(due + (when === 'before it begins' ? -1 : 1)).toISOString();
    await handleOf(request).signal(contract.cancelSignal, { requestedAt });
    expect(await at.stateOf(request)).toMatchObject({
      status: 'active',
      cancellation: { requestedAt },
      periodsPaid: 1,
    });
    world.faults.off();
    expect(await at.endOf(request)).toMatchObject({
      status: 'cancelled',
      totals: { net: 100 + kept, refunded: 100 - kept },
    });
  });
});

describe('SUB-8 a try of a declined charge that is on its way when it is cancelled', () => {
  it.each([
    ['when it was due, is given back', 0, 0],
    ['after that, is kept', 1, 100],
  ] as const)('asked for %s', async (_, later, net) => {
    const customer = await world.customer({ balance: 0 });
    const request = await world.aSubscription({ customer, plan: { ...hourly, dunning: [{ seconds: 2 }] } });
    await at.start(request);
    const { nextCharge } = await at.until(request, (state) => state.status === 'past-due' && !!state.nextCharge);
    await world.payIn(customer, 100);
    world.faults = new Faults();
    world.faults.on({ point: 'after-commit', of: 'charge', effect: 'hang', calls: 1 });
    await vi.waitFor(() => expect(world.faults.met).toEqual(['after-commit of charge']), 20_000);
    const requestedAt = new Date(Date.parse(nextCharge?.at ?? '') + later).toISOString();
    await handleOf(request).signal(contract.cancelSignal, { requestedAt });
    await at.until(request, ({ cancellation }) => cancellation?.requestedAt === requestedAt);
    world.faults.off();
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', totals: { charged: 100, net } });
    expect(await world.kindsTo(customer)).toEqual(['welcome', 'payment-declined', 'subscription-cancelled']);
  });
});

it('SUB-8 the last try, on its way when it is cancelled and then declined, leaves it cancelled and not unpaid', async () => {
  const customer = await world.customer({ balance: 0 });
  const request = await world.aSubscription({ customer, plan: { ...hourly, dunning: [] } });
  world.faults = new Faults();
  world.faults.on({ point: 'before-transaction', of: 'charge', effect: 'hang', calls: 1 });
  await at.start(request);
  await vi.waitFor(() => expect(world.faults.met).toEqual(['before-transaction of charge']), 20_000);
  await handleOf(request).signal(contract.cancelSignal, { requestedAt: new Date().toISOString() });
  await at.until(request, ({ cancellation }) => cancellation !== undefined);
  world.faults.off();
  expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', period: { declined: 1 }, totals: { net: 0 } });
  expect(await world.kindsTo(customer)).toEqual(['welcome', 'subscription-cancelled']);
});

describe('SUB-7 a run that goes on as a new one', () => {
  it('does not leave behind a message that is not done with', async () => {
    const request = await world.aSubscription({ plan: hourly, eventsPerRun: 1 });
    await at.start(request);
    await at.until(request, ({ periodsPaid, mails }) => periodsPaid === 1 && mails.pending.length === 0);
    world.faults = new Faults();
    world.faults.on({ point: 'before-transaction', of: 'charge', effect: 'hang', calls: 1 });
    const credit = { reference: 'sorry', amount: 20, direction: 'credit', reason: 'r', by: 'Bob' } as const;
    const adjusting = handleOf(request).executeUpdate(contract.adjustUpdate, { args: [credit] });
    await vi.waitFor(() => expect(world.faults.met).toEqual(['before-transaction of charge']), 20_000);
    await handleOf(request).signal(contract.cancelSignal, {});
    // Nothing else keeps it from its end by then.
    await at.until(request, ({ status, mails }) => status === 'cancelled' && mails.pending.length === 0);
    world.faults.off();
    expect(await adjusting).toMatchObject(credit);
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', adjustments: [credit], totals: { net: 80 } });
  });

  it('does not take what only a run before it may hand on', async () => {
    const request = await world.aSubscription({ plan: { ...quick, maxPeriods: 1 } });
    const carried = { status: 'ended', totals: { charged: 1_000_000 } };
    await at.start({ ...request, carried } as contract.SubscriptionInput);
    expect(await at.endOf(request)).toMatchObject({ totals: { net: 100 } });
  });
});

describe('ALL-8 what others see and do', () => {
  it('plain JSON starts, changes and cancels; lists find it by status and plan', async () => {
    const request = await world.aSubscription({ plan: { ...hourly, name: world.fresh('plan') } });
    const plan = (request.plan as typeof hourly).name;
    const found = await subscriptions.subscribeOrFind(client, request, 'ada');
    expect(found).toMatchObject({ status: 'active', accounts: { customer: request.customer } });
    expect(await subscriptions.subscribeOrFind(client, request, 'ada')).toMatchObject({ startedAt: found.startedAt });
    const other = subscriptions.subscribeOrFind(client, { ...request, timeZone: 'Europe/Berlin' }, 'ada');
    await expect(other).rejects.toMatchObject({ cause: { type: 'SubscriptionMismatch' } });
    const listed = () => subscriptions.list(client, { plan, startedBy: 'ada', status: 'active', limit: 10 });
    await vi.waitFor(async () => expect(await listed()).toHaveLength(1), 10_000);
    expect((await listed())[0]).toMatchObject({ subscriptionId: request.subscriptionId, plan, execution: 'RUNNING' });
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    const id = request.subscriptionId;
    expect(await subscriptions.changePrice(client, id, { price: 5, by: 'b' })).toMatchObject({ from: 2, price: 5 });
    expect(await subscriptions.refund(client, id, { period: 1, by: 'b' })).toMatchObject({ amount: 100 });
    const cancelled = await subscriptions.cancel(client, id, { by: 'ada' });
    expect(cancelled).toMatchObject({ status: 'cancelled', totals: { net: 0 } });
    await at.endOf(request);
    // After the end: the same answer, the same cancellation, and a refusal of what changes anything.
    expect(await subscriptions.subscriptionState(client, id)).toMatchObject({ status: 'cancelled' });
    expect(await subscriptions.cancel(client, id, {})).toMatchObject({ cancellation: cancelled.cancellation });
    const late = subscriptions.changePrice(client, id, { price: 5, by: 'b' });
    await expect(late).rejects.toMatchObject({ cause: { type: 'SubscriptionOver' } });
    expect(await subscriptions.subscribeOrFind(client, request, 'ada')).toMatchObject({ status: 'cancelled' });
    expect(await world.kindsTo(request.customer)).toEqual(['welcome', 'subscription-cancelled']);
  });

  it('an unknown customer or plan is a refused ending, and nothing is written', async () => {
    const request = await world.aSubscription();
    for (const [changes, type] of [
      [{ customer: 'nobody' }, 'UnknownCustomer'],
      [{ plan: 'gold' }, 'UnknownPlan'],
      [{ timeZone: 'Europe/Nowhere' }, 'UnknownTimeZone'],
      [{ plan: { ...hourly, currency: 'USD' as const } }, 'CurrencyMismatch'],
    ] as const) {
      const asked = { ...request, ...changes, subscriptionId: world.fresh('refused') };
      expect(await subscriptions.subscribeOrFind(client, asked, 'ada')).toMatchObject({
        status: 'refused',
        reason: { type },
      });
      expect(await at.endOf(asked)).toMatchObject({ status: 'refused', totals: { net: 0 } });
    }
    expect(await world.kindsTo(request.customer)).toEqual([]);
  });

  it('a request that breaks a rule fails, by field, and whoever asks hears it', async () => {
    const request = { subscriptionId: world.fresh('bad'), customer: '', plan: 'phone-36' };
    const refused = await subscriptions.subscribeOrFind(client, request, 'ada').catch((error: unknown) => error);
    expect(refused).toMatchObject({ cause: { type: 'InvalidSubscription' } });
    const failed = await handleOf(request)
      .result()
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ cause: { type: 'InvalidSubscription', message: /^customer: must be/ } });
  });

  it('a cancellation that comes while no worker is up is kept', async () => {
    const request = await world.aSubscription({ plan: hourly });
    await at.start(request);
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    await at.worker.stop();
    const asked = subscriptions.cancel(client, request.subscriptionId, { by: 'ada' });
    await expect(asked).rejects.toThrow(/Nobody has answered/);
    await at.worker.start();
    expect(await at.endOf(request)).toMatchObject({ status: 'cancelled', cancellation: { by: 'ada' } });
  });

  it('one that was terminated is known as such, and the ledger keeps what it had', async () => {
    const request = await world.aSubscription({ plan: hourly });
    await at.start(request);
    await at.until(request, ({ periodsPaid }) => periodsPaid === 1);
    await handleOf(request).terminate('a test');
    const asked = subscriptions.subscriptionState(client, request.subscriptionId);
    await expect(asked).rejects.toThrow(/was ended from outside/);
    expect(await world.booked(request)).toEqual(['charge 1: 100']);
    const again = subscriptions.subscribeOrFind(client, request, 'ada');
    await expect(again).rejects.toThrow(/was ended from outside/);
  });
});

it('SUB-8 many at once: each is charged once for each period', async () => {
  const requests = await Promise.all(
    Array.from({ length: 10 }, () => world.aSubscription({ plan: { ...quick, maxPeriods: 2 }, eventsPerRun: 15 })),
  );
  at.around.faults.on({ point: 'before-return', chance: 0.1 });
  const handles = await Promise.all(requests.map(at.start));
  const outcomes = await Promise.all(requests.map(at.endOf));
  at.around.faults.off();
  // In the last of many runs, it is still found.
  const [first] = requests;
  const { typedSearchAttributes, runId } = await handleOf(first ?? { subscriptionId: '' }).describe();
  expect(typedSearchAttributes.get(contract.planAttribute)).toBe('quick');
  expect(typedSearchAttributes.get(contract.startedByAttribute)).toBe('ada');
  expect(runId).not.toBe(handles[0]?.firstExecutionRunId);
  expect(outcomes.map(({ status, periodsPaid }) => [status, periodsPaid])).toEqual(Array(10).fill(['ended', 2]));
});
