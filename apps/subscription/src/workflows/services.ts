import { untilItSucceeds } from '@repo/activity-options';
import { ActivityFailure, ApplicationFailure, isCancellation, proxyActivities } from '@temporalio/workflow';
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

/** Asks the calendar. `what` is for the Web UI: when … */
export const boundary = (what: string, request: Parameters<Activities['boundary']>[0]) =>
  activities.boundary.executeWithOptions({ summary: `When ${what}` }, [request]);
