import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from './activities.ts';
import type { Reconciliation } from './reconcile.ts';

const { reconcileNow } = proxyActivities<Activities>({
  // It looks at every trip; a dead worker is noticed after that time, and nobody waits for it.
  startToCloseTimeout: '5 minutes',
  // Then the next turn of the schedule has its try.
  scheduleToCloseTimeout: '15 minutes',
  retry: { initialInterval: '5 seconds', maximumInterval: '1 minute' },
});

/** One turn of the reconciler, for a schedule. Its result says what a person has to look at. */
export async function reconcileTrips(input: { graceMs: number }): Promise<Reconciliation> {
  return reconcileNow(input);
}
