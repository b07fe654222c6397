import { formatAmount } from '@repo/ledger/money';
import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type * as inputs from './contract/inputs.ts';
import type * as states from './contract/state.ts';

export * from './contract/inputs.ts';
export * from './contract/plans.ts';
export * from './contract/state.ts';

/** What everybody who talks to this app has to know: names, inputs, outcomes, messages, failure types. */

/** A deployment that shares a Temporal namespace with another one sets TASK_QUEUE. */
export const defaultTaskQueue = 'subscription';

/** One workflow for one subscription: the id is how Temporal refuses a second one. */
export const subscriptionWorkflowId = (subscriptionId: string): string => `subscription:${subscriptionId}`;

/**
 * Keys of the ledger and of mails, made of the business operation, so every retry, replay and reset uses the same. A no is
 * kept under its key, so what is tried anew on purpose has the next number. `id` is the subscription's.
 */
export const keys = {
  /** Under this name at most one charge succeeds. */
  settles: (id: string, period: number): string => `subscription:${id}:period:${period}`,
  charge: (id: string, period: number, attempt: number): string => `${keys.settles(id, period)}:attempt:${attempt}`,
  refund: (id: string, period: number, attempt: number): string =>
    `${keys.settles(id, period)}:refund${attempt === 1 ? '' : `:${attempt}`}`,
  adjustment: (id: string, reference: string): string => `subscription:${id}:adjustment:${reference}`,
  mail: (id: string, what: string): string => `subscription:${id}:mail:${what}`,
} as const;

/** Why something was refused. Programs branch on these (and on `ledgerFailureTypes`), never on a message. */
export const failureTypes = {
  /** A field breaks a rule; nothing was written. */
  invalid: 'InvalidSubscription',
  /** There is a subscription of that id already, with other details. */
  mismatch: 'SubscriptionMismatch',
  /** There is a change or an adjustment of that name already, with other details. */
  changeMismatch: 'ChangeMismatch',
  /** The subscription is over, or has been cancelled: nothing about it can be changed. */
  over: 'SubscriptionOver',
  /** A subscription of that id was charged for before this one began. */
  idTaken: 'SubscriptionIdTaken',
  /** The period from which it is to hold has begun already, or never begins. */
  noSuchPeriod: 'NoSuchPeriod',
  /** The period was not charged for, or that is not known yet. */
  nothingToRefund: 'NothingToRefund',
  /** Nothing of that period waits for a person. */
  nothingToResolve: 'NothingToResolve',
  /** Only between activity and workflow: the no that is kept under this key was told to the run before a reset. */
  declinedBefore: 'DeclinedBefore',
  /** A subscription keeps so many changes, adjustments and refunds and no more: see `limits`. */
  tooMany: 'TooMany',
  unknownCustomer: 'UnknownCustomer',
  unknownPlan: 'UnknownPlan',
  unknownTimeZone: 'UnknownTimeZone',
} as const;

/** How many of each one subscription can have in all its life: all of them are shown, and survive continue-as-new. */
export const limits = { changes: 200, adjustments: 500, refunds: 500, undelivered: 100 } as const;

/** Answers at once with what is known. */
export const stateQuery = defineQuery<states.SubscriptionState>('state');

/**
 * Answers as soon as the subscription stands (its customer and its plan are known, and the welcome e-mail is on its way), or
 * has been refused. With a request in it, it is refused (`mismatch`) if the subscription of this id has other details.
 */
export const subscribedUpdate = defineUpdate<states.SubscriptionState, [inputs.SubscriptionInput]>('subscribed');

/** Refused with `noSuchPeriod`, `changeMismatch`, `tooMany` or `over`. */
export const changePriceUpdate = defineUpdate<states.Change, [inputs.ChangePrice]>('changePrice');
export const changePeriodUpdate = defineUpdate<states.Change, [inputs.ChangePeriod]>('changePeriod');

/** Answers when it is booked. Refused with `changeMismatch`, `tooMany`, `over`, or with the ledger's no. */
export const adjustUpdate = defineUpdate<states.Adjustment, [inputs.Adjust]>('adjust');

/** Answers when it is booked, and the same a second time. Refused with `nothingToRefund`, `tooMany`, `over`, or the ledger's no. */
export const refundUpdate = defineUpdate<states.Refunded, [inputs.Refund]>('refund');

/**
 * Cancels at once, by the time at which that was asked for. The signal is recorded while no worker is up; the update answers
 * with what has become of the subscription, the second time with the same. It does not wait for money: what is still to be
 * given back is in `owed`, and the subscription is over once it is.
 */
export const cancelSignal = defineSignal<[inputs.Cancel?]>('cancel');
export const cancelUpdate = defineUpdate<states.SubscriptionState, [inputs.Cancel]>('cancel');

/**
 * Settles by hand what the ledger will not give back, so that the subscription can end. Answers when it is recorded, and the
 * same a second time. Refused with `nothingToResolve`, or with `changeMismatch` if it was settled in another way.
 */
export const resolveUpdate = defineUpdate<states.Resolved, [inputs.Resolve]>('resolve');

/** Search attributes, so that subscriptions can be found in the Web UI and with `temporal workflow list --query`. */
export const statusAttribute = defineSearchAttributeKey('Status', 'KEYWORD');
export const startedByAttribute = defineSearchAttributeKey('StartedBy', 'KEYWORD');
export const planAttribute = defineSearchAttributeKey('Plan', 'KEYWORD');

/** `12.50 EUR`. */
export const inWords = ({ amount, currency }: { amount: number; currency: string }): string =>
  `${formatAmount(amount, currency)} ${currency}`;
