import { condition, patched } from '@temporalio/workflow';
import type { ClosedStatus } from '../contract.ts';
import { chargeForPeriod, hadCharged } from './billing.ts';
import { isBeforeCancellation } from './cancelling.ts';
import { nextAnchor, nextEnd } from './dates.ts';
import { dueOf, goTo, isLast, type Life, now, priceOf, spanOf, standing } from './life.ts';
import { boundary } from './services.ts';

/**
 * The next thing that happens in a subscription: it waits, a period begins, a charge is made, or it is over. Time counts, and
 * not when somebody looks: a worker that was away finds what has fallen due and does it in order, up to the moment of a
 * cancellation.
 * @param isInterrupted ends a wait early
 * @returns how it is over; undefined while it goes on
 */
export async function takeStep(life: Life, isInterrupted: () => boolean): Promise<ClosedStatus | undefined> {
  const { period } = standing(life);
  const due = dueOf(life, period);
  if (period.number > 0 && !period.isPaid && due <= now()) {
    if (!isWanted(life, due)) return cancel(life);
    if (life.nextTryAt !== undefined && life.nextTryAt > now()) {
      await sleep(life, life.nextTryAt, `period ${period.number}, try ${period.declined + 1}`, isInterrupted);
      return undefined;
    }
    const declined = await chargeForPeriod(life);
    if (!declined) return undefined;
    if (life.cancellation) return cancelled(life);
    life.reason = declined;
    return 'unpaid';
  }
  if (!isBeforeCancellation(life, period.endsAt)) return cancel(life);
  if (now() < period.endsAt) {
    const what = period.number === 0 ? 'trial' : `period ${period.number}`;
    await sleep(life, period.endsAt, what, isInterrupted);
    return undefined;
  }
  if (period.number > 0 && isLast(life, period.number)) return 'ended';
  await openNext(life);
  return undefined;
}

/**
 * A charge counts by when it was due, and so does each further try: what was due before a cancellation is made all the same,
 * what is due after it is not. Declined by then, the period stays unpaid.
 */
function isWanted(life: Life, due: string): boolean {
  if (!isBeforeCancellation(life, due)) return false;
  if (!life.cancellation || life.nextTryAt === undefined) return true;
  return isBeforeCancellation(life, life.nextTryAt) && patched('tries-by-time');
}

/** Nothing more falls due, and it is over; but what a run before a reset has charged for all the same belongs to it. */
async function cancel(life: Life): Promise<ClosedStatus | undefined> {
  const { period } = standing(life);
  const isUnpaid = period.number > 0 && !period.isPaid;
  const isNone = isUnpaid ? dueOf(life, period) > now() : period.endsAt > now() || isLast(life, period.number);
  if (isNone || !patched('charged-before')) return cancelled(life);
  if (!(await hadCharged(life, isUnpaid ? period.number : period.number + 1))) return cancelled(life);
  if (!isUnpaid) await openNext(life, { isCharged: true });
  return undefined;
}

/** In the trial, or later: which of the two counts by the time of the cancellation, and not by when it came to be known. */
function cancelled({ cancellation, trialEndsAt }: Life): ClosedStatus {
  const isInTrial = cancellation !== undefined && trialEndsAt !== undefined && cancellation.effectiveAt <= trialEndsAt;
  return isInTrial ? 'trial-cancelled' : 'cancelled';
}

async function sleep(life: Life, until: string, what: string, isInterrupted: () => boolean): Promise<void> {
  const summary = `${what} until ${until}`;
  if (life.status !== 'past-due' && life.status !== 'needs-attention')
    goTo(life, standing(life).period.number === 0 ? 'trial' : 'active', summary);
  const milliseconds = Date.parse(until) - Date.now();
  await condition(() => life.cancellation !== undefined || isInterrupted(), milliseconds, { summary });
}

/**
 * The next period begins where the last one ended, and ends so many whole ones after the anchor.
 * @param options.isCharged it has been charged for, so that it begins although the subscription was cancelled
 */
async function openNext(life: Life, { isCharged = false } = {}): Promise<void> {
  const { period: last } = standing(life);
  const number = last.number + 1;
  const { span } = spanOf(life, number);
  const anchor = nextAnchor(life);
  const { at } = await boundary(`period ${number} ends`, nextEnd(life));
  // A change that came meanwhile holds for this one: it was told that it has not begun. A cancellation may have to do so too.
  if (spanOf(life, number).span !== span || !(isCharged || isBeforeCancellation(life, last.endsAt))) return;
  life.anchor = anchor;
  life.attempt = 1;
  const price = priceOf(life, number);
  life.period = { number, startsAt: last.endsAt, endsAt: at, price, declined: 0, isPaid: false };
}
