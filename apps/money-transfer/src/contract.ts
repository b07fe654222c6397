import { currencies, formatAmount, isCurrency } from '@repo/ledger/money';
import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery, defineUpdate } from '@temporalio/workflow';
import { z } from 'zod';

/** What everybody who talks to this app has to know: names, inputs, outcomes, messages, failure types. */

/** A deployment that shares a Temporal namespace with another one sets TASK_QUEUE. */
export const defaultTaskQueue = 'money-transfer';

/** One workflow for one reference: the id is how Temporal refuses a second one. */
export const transferWorkflowId = (reference: string): string => `transfer:${reference}`;

/**
 * The ledger's keys of the legs: made of the business operation, so every retry, replay and reset uses the same. A refusal
 * is stored under its key, so what is tried anew on purpose has the next number, from 1.
 */
export const legKey = {
  withdraw: (reference: string): string => `transfer:${reference}:withdraw`,
  deposit: (reference: string, attempt: number): string => `transfer:${reference}:deposit:${attempt}`,
  refund: (reference: string, attempt: number): string => `transfer:${reference}:refund:${attempt}`,
} as const;

/** Why something was refused. Programs branch on these (and on `ledgerFailureTypes`), never on a message. */
export const failureTypes = {
  /** The request breaks a rule; nothing was written. */
  invalidTransfer: 'InvalidTransfer',
  /** There is a transfer of that reference already, with other details. */
  transferMismatch: 'TransferMismatch',
  /** The transfer does not wait for approval: not yet, not any more, or it never did. */
  notWaiting: 'NotWaitingForApproval',
  /** Whoever asked for the transfer may not decide on it. */
  ownTransfer: 'OwnTransfer',
  /** There is nothing that waits for a person. */
  nothingToResolve: 'NothingToResolve',
} as const;

/**
 * A transfer of more than this has to be approved; in whole units of the currency. Values for a demo. To change one is a
 * change of workflow code: it is to be inside `patched()` while transfers are open.
 */
const approvalLimits: Record<keyof typeof currencies, number> = {
  ...{ AUD: 15_000, BHD: 4_000, CAD: 15_000, CHF: 10_000, CLP: 10_000_000, CNY: 75_000, CZK: 250_000, DKK: 75_000 },
  ...{ EUR: 10_000, GBP: 10_000, INR: 1_000_000, ISK: 1_500_000, JPY: 1_500_000, KRW: 15_000_000, KWD: 3_000 },
  ...{ NOK: 100_000, PLN: 40_000, SEK: 100_000, TND: 30_000, USD: 10_000 },
};

export const needsApproval = ({ amount, currency }: { amount: number; currency: string }): boolean =>
  isCurrency(currency) && amount > approvalLimits[currency] * 10 ** currencies[currency];

const reference = z
  .string('must be text')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'must be 1 to 100 letters, digits, ".", "_" and "-", a letter or digit first',
  );
const account = z
  .string('must be text')
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'must be 1 to 64 letters, digits, ".", "_" and "-", a letter or digit first',
  );
const person = z
  .string('must be text')
  .max(100, 'must have at most 100 characters')
  // A character that cannot be seen would make one person two.
  .regex(
    /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]*$/u,
    'must not contain control characters',
  )
  .trim()
  .min(1, 'must not be empty');
const longestWait = 30 * 24 * 60 * 60; // seconds

const transferFields = z.object({
  reference,
  from: account,
  to: account,
  /** Minor units. */
  amount: z
    .int(`must be a whole number of minor units, at most ${Number.MAX_SAFE_INTEGER}`)
    .min(1, 'must be more than zero'),
  currency: z.enum(
    Object.keys(currencies) as (keyof typeof currencies)[],
    `must be one of ${Object.keys(currencies).join(', ')}`,
  ),
  /** Who asks for it, and so cannot approve it. */
  requestedBy: person,
  /** Seconds: an approval that has not come by then does not come any more. */
  approvalWithin: z
    .int('must be a whole number of seconds')
    .min(1, 'must be at least 1')
    .max(longestWait, `must be at most ${longestWait}, 30 days`)
    .default(24 * 60 * 60),
});

export type TransferRequest = z.output<typeof transferFields>;
/** As it may be sent: what has a default can be left out. */
export type TransferInput = z.input<typeof transferFields>;

const coherent = ({ from, to }: TransferRequest, context: z.RefinementCtx): void => {
  if (from === to) context.addIssue({ code: 'custom', path: ['to'], message: 'must be another account than from' });
};

const decisionFields = z.object({ by: person });

/** Who approves, rejects or resolves. It is not proved here: a door that knows who is at it has to fill it in. */
export type Decision = z.output<typeof decisionFields>;

/** For the doors (command line, HTTP): every field checked, unknown fields refused. */
export const atTheDoor = {
  transfer: transferFields.strict().superRefine(coherent),
  decision: decisionFields.strict(),
  reference: z.object({ reference }).strict(),
};

/** For the workflow: the same rules, but a field that only a newer client knows is ignored. */
export const inTheWorkflow = { transfer: transferFields.superRefine(coherent), decision: decisionFields };

/** The fields in which two requests differ; none if they ask for the same transfer. */
export const differingFields = (one: TransferRequest, other: TransferRequest): string[] =>
  (Object.keys(transferFields.shape) as (keyof TransferRequest)[]).filter((field) => one[field] !== other[field]);

/** Whether two names are one person's: case and blanks make no difference, nor do other forms of the same letter. */
export const isSamePerson = (one: string, other: string): boolean => plain(one) === plain(other);
const plain = (name: string) => name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();

/** `12.50 EUR`. */
export const inWords = ({ amount, currency }: { amount: number; currency: string }): string =>
  `${formatAmount(amount, currency)} ${currency}`;

export type Leg = 'withdraw' | 'deposit' | 'refund';

/** What the ledger has refused for good. `type` is one of `ledgerFailureTypes`. */
export interface Reason {
  type: string;
  message: string;
}

/**
 * What keeps a transfer from going on. With `isBeingTried`, nobody knows whether the leg has happened, and it is asked
 * again until there is an answer; without, the money rests in suspense until `resolveUpdate`.
 */
export interface Problem extends Reason {
  leg: Leg;
  isBeingTried: boolean;
}

/** How a transfer ends. Of all but `completed`, the money is where it came from. */
export type Ending =
  | { status: 'completed'; reference: string }
  /** This run has moved nothing. */
  | { status: 'refused'; reference: string; reason: Reason }
  /** The target could not take it. */
  | { status: 'refunded'; reference: string; reason: Reason }
  | { status: 'rejected'; reference: string; by: string }
  /** Nobody has decided in time. */
  | { status: 'expired'; reference: string }
  | { status: 'cancelled'; reference: string };

/**
 * What is answered to whoever waits. The last two are no ends: a person has to decide, until `until` (ISO 8601), or to look
 * into what keeps the transfer from going on.
 */
export type TransferOutcome =
  | Ending
  | { status: 'waiting-for-approval'; reference: string; until: string }
  | { status: 'needs-attention'; reference: string; problem: Problem };

export interface TransferState {
  request: TransferRequest;
  status: 'transferring' | 'giving-back' | TransferOutcome['status'];
  /** Which intended try of deposit and refund this is, from 1. */
  attempt: number;
  /** Missing while it does not need one. `until` is ISO 8601. */
  approval?: { until: string; decision?: 'approved' | 'rejected' | 'expired'; by?: string };
  /** Missing while the money moves. */
  outcome?: TransferOutcome;
}

/** Answers at once with what is known. */
export const stateQuery = defineQuery<TransferState>('state');

/**
 * Answers as soon as the money is where it stays, or a person is waited for. With a request in it, it is refused
 * (`transferMismatch`) if the transfer of this reference has other details.
 */
export const outcomeUpdate = defineUpdate<TransferOutcome, [TransferInput?]>('outcome');

/**
 * Decides on a transfer that waits, and answers with what becomes of it. Refused with `notWaiting`, also if somebody else
 * or the time was faster, or with `ownTransfer`.
 */
export const approveUpdate = defineUpdate<TransferOutcome, [Decision]>('approve');
export const rejectUpdate = defineUpdate<TransferOutcome, [Decision]>('reject');

/**
 * Tries again what could neither be deposited nor given back, and answers with what becomes of it; refused
 * (`nothingToResolve`) if nothing waits for that.
 */
export const resolveUpdate = defineUpdate<TransferOutcome, [Decision]>('resolve');

/** Search attributes, so that transfers can be found in the Web UI and with `temporal workflow list --query`. */
export const statusAttribute = defineSearchAttributeKey('Status', 'KEYWORD');
export const startedByAttribute = defineSearchAttributeKey('StartedBy', 'KEYWORD');
