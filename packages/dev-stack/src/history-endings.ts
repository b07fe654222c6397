import type { WorkflowHandle } from '@temporalio/client';
import { failureWords } from './failure-words.ts';
import type { StepKind } from './step-lines.ts';

/** An event of a workflow's history as the server sends it. */
export type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/** The end of something that an earlier event opened. */
export interface Ending {
  /** The event that opened it. */
  opened: HistoryEvent['eventId'];
  kind: StepKind;
  /** Follows its name: ': sold out'. */
  words: string;
}

/** The workflow has ended, or goes on as another run. */
export interface RunEnd {
  kind: StepKind;
  words: string;
  nextRunId?: string | undefined;
  /** Terminated runs may have been reset: whoever follows should look for a newer run. */
  terminated?: boolean;
}

/** What an event ends of the activities, timers and child workflows; undefined for any other event. */
export function endingOf(event: HistoryEvent): Ending | undefined {
  return activityEnding(event) ?? timerEnding(event) ?? childEnding(event);
}

function activityEnding(event: HistoryEvent): Ending | undefined {
  const completed = event.activityTaskCompletedEventAttributes;
  if (completed) return { opened: completed.scheduledEventId, kind: 'done', words: '' };
  const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
  if (failed) return { opened: failed.scheduledEventId, kind: 'failed', words: `: ${failureWords(failed.failure)}` };
  const cancelled = event.activityTaskCanceledEventAttributes;
  if (cancelled) return { opened: cancelled.scheduledEventId, kind: 'failed', words: ': cancelled' };
  return undefined;
}

function timerEnding(event: HistoryEvent): Ending | undefined {
  const fired = event.timerFiredEventAttributes;
  if (fired) return { opened: fired.startedEventId, kind: 'plain', words: ' is over' };
  const cancelled = event.timerCanceledEventAttributes;
  if (cancelled) return { opened: cancelled.startedEventId, kind: 'plain', words: ' no longer needed' };
  return undefined;
}

function childEnding(event: HistoryEvent): Ending | undefined {
  const completed = event.childWorkflowExecutionCompletedEventAttributes;
  if (completed) return { opened: completed.initiatedEventId, kind: 'done', words: '' };
  const failed = event.childWorkflowExecutionFailedEventAttributes;
  if (failed) return { opened: failed.initiatedEventId, kind: 'failed', words: `: ${failureWords(failed.failure)}` };
  const cancelled = event.childWorkflowExecutionCanceledEventAttributes;
  if (cancelled) return { opened: cancelled.initiatedEventId, kind: 'failed', words: ': cancelled' };
  const timedOut = event.childWorkflowExecutionTimedOutEventAttributes;
  if (timedOut) return { opened: timedOut.initiatedEventId, kind: 'failed', words: ': not done in time' };
  const terminated = event.childWorkflowExecutionTerminatedEventAttributes;
  if (terminated) return { opened: terminated.initiatedEventId, kind: 'failed', words: ': terminated' };
  const refused = event.startChildWorkflowExecutionFailedEventAttributes;
  if (refused) {
    const words = `: not started, ${refused.workflowId} exists already`;
    return { opened: refused.initiatedEventId, kind: 'failed', words };
  }
  return undefined;
}

/** How an event closes its run; undefined if it does not. */
export function runEndOf(event: HistoryEvent): RunEnd | undefined {
  const completed = event.workflowExecutionCompletedEventAttributes;
  if (completed)
    return { kind: 'plain', words: 'workflow completed', nextRunId: completed.newExecutionRunId || undefined };
  const failed = event.workflowExecutionFailedEventAttributes;
  if (failed) {
    const words = `workflow failed: ${failureWords(failed.failure)}`;
    return { kind: 'failed', words, nextRunId: failed.newExecutionRunId || undefined };
  }
  const timedOut = event.workflowExecutionTimedOutEventAttributes;
  if (timedOut) {
    return { kind: 'failed', words: 'workflow not done in time', nextRunId: timedOut.newExecutionRunId || undefined };
  }
  const again = event.workflowExecutionContinuedAsNewEventAttributes;
  if (again) return { kind: 'plain', words: 'continues as new', nextRunId: again.newExecutionRunId || undefined };
  if (event.workflowExecutionCanceledEventAttributes) return { kind: 'plain', words: 'workflow cancelled' };
  const terminated = event.workflowExecutionTerminatedEventAttributes;
  if (terminated) {
    const words = `workflow terminated: ${terminated.reason || 'no reason given'}`;
    return { kind: 'failed', words, terminated: true };
  }
  return undefined;
}
