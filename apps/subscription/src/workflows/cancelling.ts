import { condition } from '@temporalio/workflow';
import type { Cancel, SubscriptionState } from '../contract.ts';
import { failureTypes, inTheWorkflow, isClosed } from '../contract.ts';
import type { Life } from './life.ts';
import { problems, refusal } from './refusal.ts';
import { view } from './view.ts';

/**
 * Records a cancellation; the first one counts. It takes effect when it was asked for, except that this is
 *
 * - not before the subscription began, and not after now;
 * - not before the charge before the last one was due: one charge is given back at the most, the last, if it was due at
 *   `effectiveAt` or later. Whoever says to have cancelled earlier than that has to be refunded by a person.
 *
 * Without a time, or with one that cannot be read, it counts as of now: nobody may lose a cancellation. But nobody knows how
 * long it lay there while no worker was up, so nothing counts as due before it that has not begun, neither a period nor a try,
 * to the customer's good. After a reset it is heard of at the very beginning; see `hadCharged`.
 */
export function recordCancellation(life: Life, input: unknown): void {
  if (life.cancellation || isClosed(life.status)) return;
  const parsed = inTheWorkflow.cancel.safeParse(input ?? {});
  const { requestedAt, by } = parsed.success ? parsed.data : {};
  const notBegun = [life.period?.endsAt ?? life.startedAt, ...(life.nextTryAt === undefined ? [] : [life.nextTryAt])];
  const unsaid = Math.min(...notBegun.map((time) => Date.parse(time)), Date.now());
  const asked = requestedAt === undefined ? unsaid : Date.parse(requestedAt);
  const atMost = new Date(Math.min(asked, Date.now())).toISOString();
  life.cancellation = {
    requestedAt: new Date(asked).toISOString(),
    effectiveAt: notBefore(life, atMost),
    ...(by !== undefined && { by }),
  };
  if (requestedAt === undefined) life.isUntimed = true;
}

/** That time, or the earliest at which a cancellation can take effect if that is later. */
export function notBefore({ startedAt, settledBefore }: Life, time: string): string {
  const earliest = settledBefore === undefined ? startedAt : rightAfter(settledBefore);
  return time < earliest ? earliest : time;
}

/**
 * A cancellation that a run was told of too early, because a reset hands it over at the beginning: of a charge that the run
 * before had made, and had not been told to leave out, it cannot have been asked for earlier.
 */
export function notBeforeCharge({ cancellation, isUntimed }: Life, due: string): void {
  if (!cancellation || !isUntimed || due < cancellation.effectiveAt) return;
  cancellation.effectiveAt = rightAfter(due);
}

const rightAfter = (time: string): string => new Date(Date.parse(time) + 1).toISOString();

/** Whether something that is due then still is to happen: at the very instant of a cancellation, it is not. */
export const isBeforeCancellation = ({ cancellation }: Life, due: string): boolean =>
  cancellation === undefined || due < cancellation.effectiveAt;

/** @throws ApplicationFailure `InvalidSubscription`, or `SubscriptionOver` if it came to another end */
export function refuseCancellation(life: Life, input: Cancel | undefined): void {
  const parsed = inTheWorkflow.cancel.safeParse(input ?? {});
  if (!parsed.success) throw refusal(failureTypes.invalid, problems(parsed.error));
  if (!isClosed(life.status) || life.cancellation) return;
  throw refusal(failureTypes.over, `subscription ${life.request.subscriptionId} is ${life.status}`);
}

/**
 * Cancels, and answers when it is over, or would be but for what is to be given back. If that had begun to end otherwise, the
 * answer says how.
 */
export async function cancelAndWait(life: Life, input: Cancel | undefined): Promise<SubscriptionState> {
  recordCancellation(life, input);
  await condition(() => isClosed(life.status) || life.owed.length > 0);
  return view(life);
}
