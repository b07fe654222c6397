import { formatAmount, isCurrency } from '@repo/ledger/money';
import type * as types from '../contract.ts';
import { isClosed, type Plan, spanInWords } from '../contract.ts';
import type { ListedSubscription } from './subscriptions.ts';

/** What the commands print of subscriptions, for people. */

const command = 'pnpm --filter subscription subscription';
const amount = (minorUnits: number, currency: string) =>
  isCurrency(currency) ? `${formatAmount(minorUnits, currency)} ${currency}` : String(minorUnits);
const moment = (at: string) => `${at.slice(0, 19).replace('T', ' ')} UTC`;

/** What a new subscriber is told. */
export function standsInWords(state: types.SubscriptionState): string {
  const { subscriptionId: id, status, reason } = state;
  if (status === 'refused') {
    return [
      `Subscription ${id} is refused, and nothing was written: ${reason?.message}.`,
      '  Once that is mended, subscribe again.',
    ].join('\n');
  }
  const again = `  An id is used once. To subscribe anew, give another one: --id ${id}-2\n`;
  return `${headline(state)}\n${isClosed(status) ? again : ''}  What it is at: ${command} status ${id}`;
}

/** All that is known. @param disagrees what the ledger says otherwise */
export const stateInWords = (state: types.SubscriptionState, disagrees: readonly string[]): string =>
  [
    headline(state),
    ...[...presentLines(state), totalsLine(state), ...pastLines(state), ...troubleLines(state)].map(
      (one) => `  ${one}`,
    ),
    ...disagrees.map((one) => `The ledger does not agree: ${one}. What the ledger says is so.`),
  ].join('\n');

function presentLines(state: types.SubscriptionState): string[] {
  const { period, nextCharge, currency } = state;
  const lines = period ? [periodInWords(period, state)] : [];
  if (nextCharge) {
    const { amount: next, at, period: number, attempt } = nextCharge;
    const which = attempt > 1 ? `, try ${attempt}` : '';
    lines.push(`Next charge: ${amount(next, currency)} at ${moment(at)}, for period ${number}${which}`);
  }
  return lines;
}

function totalsLine({ totals, periodsPaid, currency }: types.SubscriptionState): string {
  const money = (minorUnits: number) => amount(minorUnits, currency);
  const more = (['refunded', 'credited', 'debited'] as const)
    .filter((what) => totals[what] > 0)
    .map((what) => `, ${what} ${money(totals[what])}`);
  const periods = `${periodsPaid} ${periodsPaid === 1 ? 'period' : 'periods'}`;
  return `Charged ${money(totals.charged)} for ${periods}${more.join('')}: ${money(totals.net)} in all`;
}

function pastLines(state: types.SubscriptionState): string[] {
  const { changes, adjustments, refunds, resolved = [], cancellation, currency } = state;
  const money = (minorUnits: number) => amount(minorUnits, currency);
  return [
    ...changes.map((one) => `${changeWords(one, currency)}, asked for by ${one.by} at ${moment(one.at)}`),
    ...adjustments.map((one) => {
      const what = one.direction === 'credit' ? 'Credit' : 'Debit';
      return `${what} of ${money(one.amount)} by ${one.by} (${one.reference}): ${one.reason}`;
    }),
    ...refunds.map((one) => `Period ${one.period} was given back by ${one.by}: ${money(one.amount)}; ${one.reason}`),
    ...resolved.map(
      (one) => `Period ${one.period} was ${howWords[one.how]} by ${one.by}: ${money(one.amount)}; ${one.note}`,
    ),
    ...(cancellation
      ? [`Cancelled${cancellation.by ? ` by ${cancellation.by}` : ''}, as of ${moment(cancellation.effectiveAt)}`]
      : []),
  ];
}

const howWords: Record<types.Resolved['how'], string> = {
  'paid-out': 'paid out past the ledger',
  waived: 'not given back, as settled',
};

function troubleLines({ subscriptionId: id, reason, period, owed, mails }: types.SubscriptionState): string[] {
  return [
    ...(reason && period?.isPaid === false ? [reason.message] : []),
    ...owed.flatMap((one) => owedLines(id, one)),
    ...(mails.pending.length > 0 ? [`Mail on its way: ${mails.pending.join(', ')}`] : []),
    ...mails.undelivered.map((one) => `Mail ${one.mail} could not be delivered: ${one.message}`),
  ];
}

/** What is still to be given back, and what a person can do about it. */
function owedLines(id: string, { period, message }: types.SubscriptionState['owed'][number]): string[] {
  if (message === undefined) return [`The charge of period ${period} is being given back`];
  return [
    `The charge of period ${period} is to be given back, and the ledger refuses: ${message}`,
    `  Once that is mended: ${command} refund ${id} --period ${period}`,
    `  If it never will be: ${command} resolve ${id} --period ${period} --how paid-out --note "…" (or --how waived)`,
  ];
}

const statuses: Record<types.Status, string> = {
  starting: 'is starting',
  trial: 'is in its trial',
  active: 'is active',
  'past-due': 'is past due: a charge was declined',
  'needs-attention': 'needs attention',
  ended: 'has come to its end',
  cancelled: 'was cancelled',
  'trial-cancelled': 'was cancelled in its trial',
  unpaid: 'has ended, for a period was not paid',
  refused: 'was refused',
};

function headline({
  subscriptionId,
  customer,
  plan,
  status,
  reason,
  currency,
  price,
}: types.SubscriptionState): string {
  const why = status === 'refused' || status === 'needs-attention' ? reason && `: ${reason.message}` : '';
  const what = planInWords(plan, price, currency);
  return `Subscription ${subscriptionId} of ${customer} ${statuses[status]}${why ?? ''}; ${what}`;
}

function planInWords(plan: string | Plan, price: number, currency: string): string {
  if (typeof plan === 'string') return plan;
  const ends = plan.maxPeriods === undefined ? '' : `, ${plan.maxPeriods} times`;
  return `${plan.name}: ${amount(price, currency)} every ${spanInWords(plan.period)}${ends}, ${plan.billing.replace('-', ' ')}`;
}

function periodInWords(
  { number, startsAt, endsAt, price, isPaid, declined }: types.Period,
  { plan, currency }: types.SubscriptionState,
) {
  const when = `${moment(startsAt)} to ${moment(endsAt)}`;
  if (number === 0) return `Trial: ${when}, free of charge`;
  const of = typeof plan === 'string' || plan.maxPeriods === undefined ? '' : ` of ${plan.maxPeriods}`;
  const tries = declined > 0 ? `, declined ${declined} times` : '';
  return `Period ${number}${of}: ${when}, ${amount(price, currency)} ${isPaid ? 'paid' : 'not paid yet'}${tries}`;
}

const changeWords = (change: types.Change, currency: string): string =>
  `From period ${change.from} on: ${change.kind === 'price' ? amount(change.price, currency) : spanInWords(change.period)} each`;

export const changeInWords = (id: string, change: types.Change, currency: string): string =>
  `Subscription ${id}: ${changeWords(change, currency).replace('From', 'from')}.`;

export function adjustmentInWords(id: string, one: types.Adjustment, currency: string): string {
  const given = one.direction === 'credit' ? 'was given' : 'has paid';
  return `The customer of ${id} ${given} ${amount(one.amount, currency)} (${one.reference}).`;
}

export const refundInWords = (id: string, { period, amount: given }: types.Refunded, currency: string): string =>
  `Period ${period} of ${id} was given back: ${amount(given, currency)}.`;

export const resolvedInWords = (id: string, one: types.Resolved, currency: string): string =>
  `Period ${one.period} of ${id} was ${howWords[one.how]}: ${amount(one.amount, currency)}. The ledger has it as charged.`;

/** What a cancelled one was, and what it has cost; or what it waits for. */
export function endInWords(state: types.SubscriptionState): string {
  const { subscriptionId, status, totals, currency, cancellation, owed } = state;
  if (owed.length > 0) {
    const since = moment(cancellation?.effectiveAt ?? '');
    const lines = owed.flatMap((one) => owedLines(subscriptionId, one)).map((line) => `\n  ${line}`);
    return `Subscription ${subscriptionId} is cancelled, as of ${since}; it is over once nothing is owed any more.${lines.join('')}`;
  }
  return `Subscription ${subscriptionId} ${statuses[status]}; paid in all: ${amount(totals.net, currency)}.`;
}

export function listLine(one: ListedSubscription): string {
  const word = one.status ?? 'not begun';
  const { execution } = one;
  const how = execution === 'RUNNING' || execution === 'COMPLETED' ? word : `${word} (${execution.toLowerCase()})`;
  const started = one.started.slice(0, 19).replace('T', ' ');
  return [
    one.subscriptionId.padEnd(28),
    how.padEnd(24),
    (one.plan ?? '-').padEnd(16),
    started,
    one.startedBy ?? '-',
  ].join('  ');
}
