import { taskQueue } from '@repo/worker-kit';
import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { defaultTaskQueue } from '../../contract.ts';
import type { reconcileTrips } from './workflows.ts';

/** There is one in a namespace. */
export const scheduleId = 'trip-reconciler';

/** Beside that of the trips: who books trips need not be able to put them right. */
export const reconcilerQueue = (): string => `${taskQueue(defaultTaskQueue)}-reconciler`;

/** Runs the reconciler every so many milliseconds from now on, one at a time. Asked again, it changes the schedule. */
export async function schedule(client: Client, everyMs: number, graceMs: number): Promise<'created' | 'changed'> {
  const spec = { intervals: [{ every: everyMs }] };
  const policies = { overlap: ScheduleOverlapPolicy.SKIP };
  const action = {
    type: 'startWorkflow' as const,
    workflowType: 'reconcileTrips',
    workflowId: scheduleId,
    taskQueue: reconcilerQueue(),
    // A turn that no worker takes would otherwise keep the next ones from beginning.
    workflowExecutionTimeout: '20 minutes' as const,
    args: [{ graceMs }] as Parameters<typeof reconcileTrips>,
  };
  try {
    await client.schedule.create<typeof reconcileTrips>({ scheduleId, spec, policies, action });
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule
      .getHandle(scheduleId)
      .update<typeof reconcileTrips>(({ state }) => ({ spec, policies, action, state }));
    return 'changed';
  }
}

/** Ends the schedule; false if there was none. */
export async function unschedule(client: Client): Promise<boolean> {
  try {
    await client.schedule.getHandle(scheduleId).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}
