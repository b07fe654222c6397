import { attributeField, listFields, newest } from '@repo/worker-kit/listing';
import { causes, ifWorkerAnswers, refused } from '@repo/worker-kit/lookup';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { z } from 'zod';
import type * as types from '../contract.ts';
import * as contract from '../contract.ts';
import { subscribe } from '../starter.ts';
import { mayBeRecorded, openOrEnded, requestOf } from './subscription-lookup.ts';

/** What one can do with subscriptions, for the commands, the scenarios and the tests alike. */

const { over, mismatch } = contract.failureTypes;

/**
 * Subscribes, or answers with what has become of the subscription of this id, be it open or over. One that was refused, so
 * that nothing was written, is begun anew: what was missing may be there by now.
 * @throws WorkflowUpdateFailedError with `SubscriptionMismatch` if that one has other details; EndedFromOutside
 */
export async function subscribeOrFind(
  client: Client,
  input: types.SubscriptionInput,
  startedBy: string,
): Promise<types.SubscriptionState> {
  try {
    return await subscribe(client, input, startedBy);
  } catch (error) {
    // What was started ended between two tries of one call; asked again, the server says so.
    const isDeduped = causes(error).some(({ message }) => message.includes('StartDeduped'));
    if (isDeduped) return subscribeOrFind(client, input, startedBy);
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const request = contract.atTheDoor.subscription.parse(input);
    const { subscriptionId } = request;
    const found = await subscriptionState(client, subscriptionId).catch(() => undefined);
    if (found?.status === 'refused') return subscribe(client, input, startedBy, true);
    const first = await requestOf(client, contract.subscriptionWorkflowId(subscriptionId)).catch(() => undefined);
    // Nobody could read what was asked for, so nothing came of it.
    if (!first) return subscribe(client, input, startedBy, true);
    const differing = contract.differingFields(first, request);
    if (differing.length === 0) return subscriptionState(client, subscriptionId);
    throw refused(mismatch, `${differing.join(', ')}: subscription ${subscriptionId} exists with other details`);
  }
}

/**
 * What is known of a subscription. Of one that is over, Temporal knows it without a worker.
 * @throws NoSuchWorkflow, NoWorker, EndedFromOutside; WorkflowFailedError if its request was refused (`InvalidSubscription`)
 */
export function subscriptionState(client: Client, id: string): Promise<types.SubscriptionState> {
  return openOrEnded(client, id, {
    open: (handle) => ifWorkerAnswers(client, () => handle.query(contract.stateQuery)),
    ended: (state) => state,
  });
}

/** Asks an open subscription; of one that is over, it is what an open one would answer that is thrown. */
const ask =
  <Answer, Asked>(update: UpdateDefinition<Answer, [Asked]>) =>
  (client: Client, id: string, asked: Asked): Promise<Answer> =>
    openOrEnded(client, id, {
      open: async (handle) => {
        const options = { args: [asked] as [Asked], waitForStage: 'ACCEPTED' as const };
        const start = () => handle.startUpdate<Answer, [Asked]>(update, options);
        const accepted = await ifWorkerAnswers(client, start);
        return accepted.result();
      },
      unanswered: mayBeRecorded,
      ended: ({ status }) => {
        throw refused(over, `subscription ${id} is ${status}`);
      },
    });

/**
 * Each asks an open subscription, and answers when it is done.
 * @throws NoSuchWorkflow, NoWorker, EndedFromOutside; WorkflowUpdateFailedError with one of `failureTypes` or
 * `ledgerFailureTypes`, and with `SubscriptionOver` of one that is over
 */
export const changePrice = ask(contract.changePriceUpdate);
export const changePeriod = ask(contract.changePeriodUpdate);
export const adjust = ask(contract.adjustUpdate);
export const refund = ask(contract.refundUpdate);
export const resolve = ask(contract.resolveUpdate);

/**
 * Cancels, and answers with what has become of the subscription: it is over, or will be once nothing is `owed` any more. A
 * signal records it first, so that it holds also while no worker is up. Of one that has been cancelled before, it answers with
 * that.
 * @throws NoSuchWorkflow, EndedFromOutside; NoWorker, while it is recorded; WorkflowUpdateFailedError with `SubscriptionOver`
 * if it had come to another end before
 */
export function cancel(client: Client, id: string, request: types.Cancel): Promise<types.SubscriptionState> {
  // The signal and the update say the same time.
  const asked = { ...request, requestedAt: request.requestedAt ?? new Date().toISOString() };
  return openOrEnded(client, id, {
    open: async (handle) => {
      await handle.signal(contract.cancelSignal, asked);
      const options = { args: [asked] as [types.Cancel], waitForStage: 'ACCEPTED' as const };
      const start = () => handle.startUpdate<types.SubscriptionState, [types.Cancel]>(contract.cancelUpdate, options);
      const accepted = await ifWorkerAnswers(client, start);
      return accepted.result();
    },
    unanswered: mayBeRecorded,
    ended: (state) => {
      if (state.cancellation) return state;
      throw refused(over, `subscription ${id} is ${state.status}`);
    },
  });
}

const statuses = [...contract.openStatuses, ...contract.closedStatuses];
/** For the doors, where all of these are text. */
export const listQuery = z.strictObject({ ...listFields(statuses), plan: attributeField.optional() });

export interface ListedSubscription {
  subscriptionId: string;
  /** Undefined for one that no worker has taken up yet; so is `plan`. */
  status: types.Status | undefined;
  plan: string | undefined;
  /** Temporal's own word: RUNNING, COMPLETED, TERMINATED … */
  execution: string;
  /** Of its last run. */
  started: string;
  startedBy: string | undefined;
}

/** Open ones first, then those that ended last. The list lags behind by some moments: it is for people, not for decisions. */
export async function list(
  client: Client,
  { status, startedBy, plan, limit }: z.output<typeof listQuery>,
): Promise<ListedSubscription[]> {
  const found = await newest(client, {
    workflowType: 'subscription',
    where: { Status: status, StartedBy: startedBy, Plan: plan },
    limit,
  });
  return found.map(({ name, attributes, execution, started }) => ({
    subscriptionId: name,
    status: attributes.Status as types.Status | undefined,
    plan: attributes.Plan,
    execution,
    started,
    startedBy: attributes.StartedBy,
  }));
}
