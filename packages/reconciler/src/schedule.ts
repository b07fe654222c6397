import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { TurnInput } from './turn.ts';
import type { reconcile } from './workflows.ts';

/**
 * Runs the reconciler every so many milliseconds from now on, one turn at a time. Asked again, it changes the schedule;
 * one that somebody has paused stays so.
 * @param name of the schedule, of its task queue, and the beginning of each turn's workflow id
 */
export async function schedule(
  client: Client,
  name: string,
  everyMs: number,
  input: TurnInput,
): Promise<'created' | 'changed' | 'changed, and paused'> {
  const spec = { intervals: [{ every: everyMs }] };
  // What was missed is not made up for: the next turn looks at everything.
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' as const };
  const action = {
    type: 'startWorkflow' as const,
    workflowType: 'reconcile',
    workflowId: name,
    taskQueue: name,
    // A turn that does not get on would otherwise keep the next ones from beginning.
    workflowExecutionTimeout: '1 hour' as const,
    args: [input] as Parameters<typeof reconcile>,
  };
  try {
    await client.schedule.create<typeof reconcile>({ scheduleId: name, spec, policies, action });
    return 'created';
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  let isPaused = false;
  await client.schedule.getHandle(name).update<typeof reconcile>(({ state }) => {
    isPaused = state.paused;
    return { spec, policies, action, state };
  });
  return isPaused ? 'changed, and paused' : 'changed';
}

/** Ends the schedule; false if there was none. A turn that has begun goes on. */
export async function unschedule(client: Client, name: string): Promise<boolean> {
  try {
    await client.schedule.getHandle(name).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}
