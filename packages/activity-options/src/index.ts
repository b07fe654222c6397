import type { ActivityOptions } from '@temporalio/common';

// This package is imported by workflow code: constants only, nothing that needs Node.
//
// Temporal may fire a timer up to a second late, so that a first retry after 0.5 s often comes after one.

/**
 * A call to a service that normally answers within a second, made while somebody waits for the result and earlier
 * steps hold something (a seat, money in suspense).
 *
 * - `startToCloseTimeout` 5 s: how long a dead worker goes unnoticed, so no longer than a slow answer takes.
 * - retried after 0.5 s, 1 s, 2 s … at most every 10 s, so that a service that comes back is used at once.
 * - `scheduleToCloseTimeout` 10 min: then the step has failed for good, and what the earlier steps hold is given back.
 * - a cancellation waits for the running attempt: a compensation must not race the very call that it undoes.
 */
export const whileSomeoneWaits = {
  startToCloseTimeout: '5 seconds',
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
} as const satisfies ActivityOptions;

/**
 * A call that has to succeed sooner or later, such as a compensation: retried for as long as it takes, every minute at
 * the most seldom. Only a failure that is marked as not retryable ends it.
 */
export const untilItSucceeds = {
  startToCloseTimeout: '5 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '1 minute' },
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
} as const satisfies ActivityOptions;

/**
 * Work that takes seconds or minutes and tells how far it is, such as a build or an upload; it has to succeed sooner or later.
 *
 * - `heartbeatTimeout` 10 s: how long a dead worker goes unnoticed, however long the work itself takes.
 * - `startToCloseTimeout` 10 min: longer than any of it should take; a heart that beats need not mean that it gets on.
 * - a cancellation reaches the work with a heartbeat, and waits until the work has stopped.
 */
export const longWork = {
  ...untilItSucceeds,
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
} as const satisfies ActivityOptions;

/**
 * Laid over another preset: half a minute, and then something else has its turn. For a row of calls of which a slow one
 * must not hold up the rest; what did not succeed is taken up again with a preset that has no end.
 */
export const briefly = { scheduleToCloseTimeout: '30 seconds' } as const satisfies ActivityOptions;
