import { setInterval } from 'node:timers';
import { activityFailure } from '@repo/activity-options/failure';
import { DatabaseUnavailable, Refusal } from '@repo/operations';
import { Context } from '@temporalio/activity';
import { type ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { failureTypes } from '../contract.ts';
import { Refused, refusalTypes } from './refused.ts';

/** What an activity lends to the calls that it makes, and how their failures look to a workflow. */

/** A call is given up before its activity is, so that the failure says who did not answer. */
const shareOfTime = 0.8;

/** @throws ApplicationFailure: a service's no is not retried, no answer is. Any other error stays: a bug, retried until it is mended. */
export async function attempt<Answer>(call: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
  const { info, cancellationSignal } = Context.current();
  try {
    // In whole milliseconds: what a workflow's own time-out leaves to an activity need not be a round number.
    const giveUp = AbortSignal.timeout(Math.floor(info.startToCloseTimeoutMs * shareOfTime));
    return await call(AbortSignal.any([giveUp, cancellationSignal]));
  } catch (error) {
    // A cancellation that the call has noticed.
    cancellationSignal.throwIfAborted();
    throw toFailure(error);
  }
}

const beatEvery = 2_000; // milliseconds

/** {@link attempt} for long work: the heart beats all the time, with what `tell` was told last. */
export function attemptLong<Answer>(
  work: (signal: AbortSignal, tell: (progress: unknown) => void) => Promise<Answer>,
): Promise<Answer> {
  const context = Context.current();
  let told: unknown;
  const beat = setInterval(() => context.heartbeat(told), beatEvery);
  const tell = (progress: unknown) => {
    told = progress;
    context.heartbeat(told);
  };
  context.heartbeat(told);
  return attempt((signal) => work(signal, tell)).finally(() => clearInterval(beat));
}

/** A failure with a type; no other than `unavailable` is tried again. */
export const fail = (type: string, message: string, cause?: Error): ApplicationFailure =>
  activityFailure({
    type,
    message,
    nonRetryable: type !== failureTypes.unavailable,
    // A refusal is an answer: it need not fill the worker's log.
    category: type === failureTypes.unavailable ? undefined : ApplicationFailureCategory.BENIGN,
    ...(cause ? { cause } : {}),
  });

/** Which of the services' noes an error is; undefined if it is none. */
export const refusalOf = (error: unknown): string | undefined => (error instanceof Refused ? error.type : undefined);

function toFailure(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable) return fail(failureTypes.unavailable, error.message, error);
  if (error instanceof Refusal) return fail(error.type, error.message, error);
  if (!(error instanceof Refused)) return error;
  // What no version of this app should ask for is a bug: asked again when it is mended.
  if (error.type === refusalTypes.invalidRequest) return fail(failureTypes.unavailable, error.message, error);
  const type = error.type === refusalTypes.olderGeneration ? failureTypes.superseded : error.type;
  const field = error.field === undefined || error.message.startsWith(error.field) ? '' : `${error.field}: `;
  return fail(type, field + error.message, error);
}
