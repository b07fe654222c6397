import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Mail, Terms } from '../activities.ts';
import type * as types from '../contract.ts';
import type { Span } from '../contract.ts';
import { keys, statusAttribute } from '../contract.ts';

/**
 * A charge that succeeded. `due` is when it was to be made, and `retryDue` when the try was that succeeded, if that was not the
 * first: a cancellation that was asked for by then takes it back.
 */
export interface Settled {
  period: number;
  due: string;
  retryDue?: string;
  /** Minor units. */
  amount?: number;
}

/**
 * All that a subscription is, in plain JSON: it goes from run to run. A run of newer code may be given one of older code, so
 * what is added later has to be optional.
 */
export interface Life {
  request: types.SubscriptionRequest;
  status: types.Status;
  startedAt: string;
  terms?: Terms;
  /** The open period; 0 is the trial, which is empty in a plan without one. */
  period?: types.Period;
  /**
   * Period `number` begins at `at`, and the ends of it and of later ones are counted from there; or from `since`, if so many of
   * the same unit lie between the two.
   */
  anchor: { at: string; number: number; since?: { at: string; count: number } };
  trialEndsAt?: string;
  /** In arrears, during the trial: when the first charge will be due. */
  firstDue?: string;
  /** The number of the next try of the open period's charge, and when it is due if one was declined. */
  attempt: number;
  nextTryAt?: string;
  /** The last charge, and when the one before it was due. */
  settled?: Settled;
  settledBefore?: string;
  totals: Omit<types.Totals, 'net'>;
  periodsPaid: number;
  changes: types.Change[];
  adjustments: types.Adjustment[];
  refunds: types.Refunded[];
  /** By period, for those of which a refund was refused: the number of the next try. */
  refundAttempts: Record<string, number>;
  owed: types.SubscriptionState['owed'];
  resolved?: types.Resolved[];
  cancellation?: NonNullable<types.SubscriptionState['cancellation']>;
  /** Whether nobody has said when the cancellation was asked for. */
  isUntimed?: true;
  endedAt?: string;
  reason?: types.Reason;
  outbox: Mail[];
  undelivered: types.SubscriptionState['mails']['undelivered'];
}

export function begin(request: types.SubscriptionRequest, startedAt: string): Life {
  return {
    request,
    status: 'starting',
    startedAt,
    anchor: { at: startedAt, number: 1 },
    attempt: 1,
    totals: { charged: 0, refunded: 0, credited: 0, debited: 0 },
    periodsPaid: 0,
    changes: [],
    adjustments: [],
    refunds: [],
    refundAttempts: {},
    owed: [],
    outbox: [],
    undelivered: [],
  };
}

/** Now, as the workflow sees it. ISO 8601 in UTC with milliseconds: such times can be compared as text. */
export const now = (): string => new Date().toISOString();

/**
 * Whether what counts by now is still to be found out: after the start, and after a time without a worker. In dunning, the next
 * period begins when that is over.
 */
export const isBehind = ({ status, period }: Life): boolean =>
  status === 'starting' ||
  ((status === 'trial' || status === 'active') && period !== undefined && period.endsAt <= now());

/** What has been agreed on. To be asked only of a subscription that stands. */
export function standing(life: Life): { terms: Terms; period: types.Period } {
  const { terms, period } = life;
  if (!terms || !period) throw new Error(`subscription ${life.request.subscriptionId} does not stand`);
  return { terms, period };
}

export function goTo(life: Life, status: types.Status, words: string): void {
  setCurrentDetails(words);
  if (life.status === status) return;
  life.status = status;
  upsertSearchAttributes([{ key: statusAttribute, value: status }]);
}

/** The price of a period: of the changes that hold from then or before, the one that holds from the latest; else the plan's. */
export function priceOf({ changes, terms }: Life, number: number): number {
  return latest(changes, 'price', number)?.price ?? terms?.plan.price ?? 0;
}

/** How long a period is. `from` is the first one that is so long because of a change. */
export function spanOf({ changes, terms }: Life, number: number): { span: Span; from: number } {
  const change = latest(changes, 'period', number);
  return { span: change?.period ?? terms?.plan.period ?? { seconds: 0 }, from: change?.from ?? 1 };
}

function latest<Kind extends types.Change['kind']>(changes: types.Change[], kind: Kind, number: number) {
  const isOne = (one: types.Change): one is types.Change & { kind: Kind } => one.kind === kind && one.from <= number;
  return changes.filter(isOne).reduce<(types.Change & { kind: Kind }) | undefined>(
    // Of two from the same period on, the later one was asked for later.
    (best, one) => (best && best.from > one.from ? best : one),
    undefined,
  );
}

/** When the charge of a period is due. */
export function dueOf({ terms }: Life, { startsAt, endsAt }: types.Period): string {
  return terms?.plan.billing === 'in-arrears' ? endsAt : startsAt;
}

export const isLast = ({ terms }: Life, number: number): boolean => number === terms?.plan.maxPeriods;

/** Puts a mail into the outbox. `what` tells it from all others of the subscription. */
export function mail(life: Life, kind: types.MailKind, what: string, facts: Partial<Mail['facts']> = {}): void {
  const { request, terms } = life;
  if (!terms) return;
  const { subscriptionId, customer } = request;
  const { plan, timeZone } = terms;
  const key = keys.mail(subscriptionId, what);
  life.outbox.push({ key, at: now(), kind, customer, facts: { subscriptionId, plan, timeZone, ...facts } });
}
