import { untilItSucceeds } from '@repo/activity-options';
import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  patched,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Activities } from '../activities.ts';
import type { Reason } from '../contract.ts';

/**
 * Everything is asked for until there is an answer: an answer that was lost is asked for again under the same key, and never
 * guessed.
 */
export const activities = proxyActivities<Activities>(untilItSucceeds);

/** The no of a service, which its activity marks as not retryable. Anything else is a bug, and is thrown on. */
export function refusalIn(error: unknown): Reason & { details: Record<string, unknown> } {
  if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  const { cause } = error;
  if (!(cause instanceof ApplicationFailure && cause.nonRetryable)) throw error;
  const [details] = (cause.details ?? []) as Record<string, unknown>[];
  return { type: cause.type ?? 'Refused', message: cause.message, details: details ?? {} };
}

const { startToCloseTimeout, retry } = untilItSucceeds;
/** A calculation that waits for nobody: within the worker, it costs neither a way to Temporal and back nor its events. */
const within = proxyLocalActivities<Pick<Activities, 'boundary'>>({ startToCloseTimeout, retry });

/** Asks the calendar. `what` is for the Web UI: when … */
export function boundary(what: string, request: Parameters<Activities['boundary']>[0]) {
  const options = { summary: `When ${what}` };
  return patched('calendar-within')
    ? within.boundary.executeWithOptions(options, [request])
    : activities.boundary.executeWithOptions(options, [request]);
}
