import type { Plan, Span } from './plans.ts';

/** What is known of a subscription. */

/** How it ended. `unpaid`: every try of a charge was declined. `refused`: it never began, and nothing was written. */
export const closedStatuses = ['ended', 'cancelled', 'trial-cancelled', 'unpaid', 'refused'] as const;
export const openStatuses = ['starting', 'trial', 'active', 'past-due', 'needs-attention'] as const;
export type ClosedStatus = (typeof closedStatuses)[number];
export type Status = (typeof openStatuses)[number] | ClosedStatus;

/** Why something was refused for good. */
export interface Reason {
  type: string;
  message: string;
}

/** Period 0 is the trial. Times are ISO 8601 in UTC; it lasts until right before `endsAt`. */
export interface Period {
  number: number;
  startsAt: string;
  endsAt: string;
  /** Minor units; 0 in the trial. */
  price: number;
  /** How many tries of its charge were declined. */
  declined: number;
  /** The trial never is. */
  isPaid: boolean;
}

/** What was, or will be, different from period `from` on. */
export type Change = { from: number; changeId?: string | undefined; by: string; at: string } & (
  | { kind: 'price'; price: number }
  | { kind: 'period'; period: Span }
);

/** Money that was given to the customer or taken beside the charges. Minor units of the plan's currency. */
export interface Adjustment {
  reference: string;
  amount: number;
  direction: 'credit' | 'debit';
  reason: string;
  by: string;
  at: string;
}

/** The whole charge of a period, given back. */
export interface Refunded {
  period: number;
  amount: number;
  reason: string;
  by: string;
  at: string;
}

/** A charge that was to be given back, settled by a person past the ledger: what the ledger has of it stays as it is. */
export interface Resolved {
  period: number;
  /** Minor units. */
  amount: number;
  how: 'paid-out' | 'waived';
  note: string;
  by: string;
  at: string;
}

/** Minor units, all that ever was, as the ledger has it. `net` is what the customer has paid in the end: charged − refunded − credited + debited. */
export interface Totals {
  charged: number;
  refunded: number;
  credited: number;
  debited: number;
  net: number;
}

export type MailKind =
  | 'welcome'
  | 'payment-declined'
  | 'trial-cancelled'
  | 'subscription-cancelled'
  | 'subscription-ended'
  | 'subscription-unpaid';

/** All that a customer's page needs. It is what the workflow ends with as well. Times are ISO 8601 in UTC. */
export interface SubscriptionState {
  subscriptionId: string;
  customer: string;
  /** As it was subscribed to, with its defaults. A name only, until the customer and the plan have been looked up. */
  plan: string | Plan;
  status: Status;
  /** Missing until the customer is known. */
  timeZone?: string;
  /** Of the ledger. */
  accounts?: { customer: string; merchant: string };
  startedAt: string;
  /** The open one, or the last one there was. Missing until the subscription stands. */
  period?: Period;
  /** From the next period on, minor units. */
  price: number;
  /** Empty until the plan is known. */
  currency: string;
  /** Missing if there is none to come. */
  nextCharge?: { at: string; amount: number; period: number; attempt: number };
  totals: Totals;
  /** How many periods were charged for. */
  periodsPaid: number;
  /** All of them, in the order in which they were asked for. Those whose `from` is after the open period are still to come. */
  changes: Change[];
  adjustments: Adjustment[];
  refunds: Refunded[];
  /** `effectiveAt` is `requestedAt`, unless that is not possible. */
  cancellation?: { requestedAt: string; effectiveAt: string; by?: string };
  /** Set once that is decided. It is over when nothing is owed any more. */
  endedAt?: string;
  /** Why it was refused, or could not be paid. */
  reason?: Reason;
  /** Charges that are being given back. With a reason, the ledger will not do so until a person has looked into it. */
  owed: ({ period: number } & Partial<Reason>)[];
  /** Missing if there is none. */
  resolved?: Resolved[];
  mails: {
    /** Not delivered yet, oldest first. */
    pending: MailKind[];
    /** Refused for good. */
    undelivered: ({ mail: MailKind; at: string } & Reason)[];
  };
}

/** What a subscription ends with. */
export type SubscriptionOutcome = SubscriptionState & { status: ClosedStatus };

export const isClosed = (status: Status): status is ClosedStatus =>
  (closedStatuses as readonly string[]).includes(status);
