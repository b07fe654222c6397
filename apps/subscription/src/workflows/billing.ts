import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import { failureTypes, inWords, keys, type Reason } from '../contract.ts';
import { notBefore, notBeforeCharge } from './cancelling.ts';
import { dueOf, goTo, type Life, mail, now, standing } from './life.ts';
import { activities, boundary, refusalIn } from './services.ts';

/**
 * One try to charge for the open period. Paid, the subscription goes on as if nothing had been; declined, the next try has its
 * time, and if there is none left it is over.
 * @returns why, if it was declined for the last time
 */
export async function chargeForPeriod(life: Life): Promise<Reason | undefined> {
  const { terms, period } = standing(life);
  const { subscriptionId } = life.request;
  const { number, price } = period;
  const { from, to, plan } = terms;
  const settles = keys.settles(subscriptionId, number);
  const words = `Charging ${inWords({ amount: price, currency: plan.currency })} for period ${number}`;
  // Business time is when it is booked, not when it was due: a statement that the bank has closed does not change.
  const request = { at: now(), from, to, amount: price, currency: plan.currency, settles };
  const key = keys.charge(subscriptionId, number, life.attempt);
  life.attempt += 1;
  try {
    const summary = `${words}, try ${period.declined + 1}`;
    const charged = await activities.charge.executeWithOptions({ summary }, [{ ...request, key }]);
    paid(life, charged);
    return undefined;
  } catch (error) {
    const refusal = refusalIn(error);
    const askedBefore: string[] = [alreadySettled, mismatch, failureTypes.declinedBefore];
    if (refusal.details.account === to) return putOff(life, refusal);
    if (!askedBefore.includes(refusal.type)) return declined(life, refusal);
  }
  // A run before a reset has asked under these keys, for other amounts or more often: what counts is what the ledger has.
  const found = await activities.settlement({ settles });
  if (!found) return chargeForPeriod(life);
  paid(life, { ...found.posting, refunded: found.refunded });
  return undefined;
}

const { alreadySettled, mismatch } = ledgerFailureTypes;

/**
 * Whether a period that is not to be charged for has been all the same, by the run before a reset, which had not heard of the
 * cancellation then. If it is the open one, it is paid.
 */
export async function hadCharged(life: Life, number: number): Promise<boolean> {
  const { period } = standing(life);
  const found = await activities.settlement({ settles: keys.settles(life.request.subscriptionId, number) });
  if (found && number === period.number) {
    paid(life, { ...found.posting, refunded: found.refunded });
    notBeforeCharge(life, dueOf(life, period));
  }
  return found !== null;
}

/** An hour later is soon enough for a person to mend what is wrong with the merchant's account. */
const putOffBy = 60 * 60 * 1000; // milliseconds

/** It is not the customer who cannot pay, but the merchant who cannot be paid: no try of the customer's is used up. */
function putOff(life: Life, { type, message }: Reason): undefined {
  life.reason = { type, message };
  life.nextTryAt = new Date(Date.now() + putOffBy).toISOString();
  goTo(life, 'needs-attention', `Period ${standing(life).period.number} could not be charged: ${message}`);
}

function paid(life: Life, { amount, refunded: isRefunded }: { amount: number; refunded?: boolean }): void {
  const { period } = standing(life);
  const { nextTryAt: retryDue } = life;
  if (life.settled) life.settledBefore = life.settled.due;
  // Heard of while this charge was on its way: only this one can be given back now.
  if (life.cancellation) life.cancellation.effectiveAt = notBefore(life, life.cancellation.effectiveAt);
  life.settled = {
    period: period.number,
    due: dueOf(life, period),
    amount,
    ...(retryDue !== undefined && { retryDue }),
  };
  life.totals.charged += amount;
  life.periodsPaid += 1;
  period.isPaid = true;
  delete life.nextTryAt;
  delete life.reason;
  goTo(life, 'active', `Period ${period.number} is paid`);
  if (isRefunded) {
    refunded(life, { period: period.number, amount, reason: 'found in the ledger', by: 'ledger' });
  }
}

async function declined(life: Life, { type, message }: Reason): Promise<Reason | undefined> {
  const { terms, period } = standing(life);
  const { number, price: amount } = period;
  const span = terms.plan.dunning[period.declined];
  period.declined += 1;
  goTo(life, 'past-due', `Period ${number} could not be charged: ${message}`);
  if (!span) return { type, message };
  // Counted from the try itself: a worker that was away does not make one try upon the other.
  const { at } = await boundary('to try again', { anchor: now(), timeZone: terms.timeZone, span, count: 1 });
  life.nextTryAt = at;
  // By the number of the key: what was declined after a reset is another no than the one before.
  const what = `payment-declined:period:${number}:try:${life.attempt - 1}`;
  // Whoever has cancelled meanwhile is not told of a try that will not be made.
  if (!life.cancellation) mail(life, 'payment-declined', what, { period: number, amount, nextTryAt: at });
  return undefined;
}

export const refundOf = (life: Life, period: number) => life.refunds.find((one) => one.period === period);

/**
 * Gives back the charge of a period, once.
 * @returns the ledger's no; undefined if it has been given back, now or before
 */
export async function giveBack(life: Life, period: number, by: string, reason: string): Promise<Reason | undefined> {
  const { subscriptionId } = life.request;
  const settles = keys.settles(subscriptionId, period);
  const found = await activities.settlement({ settles });
  // Whoever asks has made sure that there is one; a refund of what never arrived would keep it from arriving.
  if (!found) throw new Error(`nothing has settled ${settles}`);
  const { key: charge, amount } = found.posting;
  const attempt = life.refundAttempts[period] ?? 1;
  try {
    const key = keys.refund(subscriptionId, period, attempt);
    const summary = `Giving back the charge for period ${period}`;
    await activities.refundCharge.executeWithOptions({ summary }, [{ key, at: now(), charge }]);
  } catch (error) {
    const { type, message } = refusalIn(error);
    if (type !== ledgerFailureTypes.alreadyRefunded) {
      life.refundAttempts[period] = attempt + 1;
      return { type, message };
    }
  }
  refunded(life, { period, amount, reason, by });
  return undefined;
}

function refunded(life: Life, refund: Omit<Life['refunds'][number], 'at'>): void {
  life.owed = life.owed.filter(({ period }) => period !== refund.period);
  // Asked for twice at once, it is one.
  if (refundOf(life, refund.period)) return;
  life.refunds.push({ ...refund, at: now() });
  life.totals.refunded += refund.amount;
}
