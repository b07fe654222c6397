import type * as types from '../contract.ts';
import { isClosed } from '../contract.ts';
import { isLast, type Life, priceOf } from './life.ts';

/** What a customer's page shows. A copy: it does not change when the subscription does. */
export function view(life: Life): types.SubscriptionState {
  const { request, terms, period, totals, cancellation, endedAt, reason } = life;
  const { charged, refunded, credited, debited } = totals;
  const nextCharge = nextChargeOf(life);
  const state: types.SubscriptionState = {
    subscriptionId: request.subscriptionId,
    customer: request.customer,
    plan: terms?.plan ?? request.plan,
    status: life.status,
    startedAt: life.startedAt,
    price: priceOf(life, (period?.number ?? 0) + 1),
    currency: terms?.plan.currency ?? '',
    totals: { ...totals, net: charged - refunded - credited + debited },
    periodsPaid: life.periodsPaid,
    changes: life.changes,
    adjustments: life.adjustments,
    refunds: life.refunds,
    owed: life.owed,
    mails: { pending: life.outbox.map(({ kind }) => kind), undelivered: life.undelivered },
    ...(terms && { timeZone: terms.timeZone, accounts: { customer: terms.from, merchant: terms.to } }),
    ...(period && { period }),
    ...(nextCharge && { nextCharge }),
    ...(life.resolved && { resolved: life.resolved }),
    ...(cancellation && { cancellation }),
    ...(endedAt !== undefined && { endedAt }),
    ...(reason && { reason }),
  };
  return structuredCopy(state);
}

/** As it travels. */
const structuredCopy = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

function nextChargeOf(life: Life): types.SubscriptionState['nextCharge'] {
  const { period, terms, nextTryAt, attempt, cancellation } = life;
  if (!period || !terms || cancellation || isClosed(life.status)) return undefined;
  const { number, endsAt, price, isPaid } = period;
  if (nextTryAt !== undefined) return { at: nextTryAt, amount: price, period: number, attempt };
  // The time of the next try is being looked up.
  if (!isPaid && period.declined > 0) return undefined;
  if (terms.plan.billing === 'in-advance') {
    if (number > 0 && !isPaid) return { at: period.startsAt, amount: price, period: number, attempt };
    return isLast(life, number)
      ? undefined
      : { at: endsAt, amount: priceOf(life, number + 1), period: number + 1, attempt: 1 };
  }
  if (number > 0) return isPaid ? undefined : { at: endsAt, amount: price, period: number, attempt };
  return { at: life.firstDue ?? endsAt, amount: priceOf(life, 1), period: 1, attempt: 1 };
}
