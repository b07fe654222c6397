import { type DescribeWorkflowExecutionResponse, defaultPayloadConverter } from '@temporalio/client';
import { failureWords } from './failure-words.ts';
import { endingOf, type HistoryEvent, type RunEnd, runEndOf } from './history-endings.ts';
import { durationWords, type Step, type StepKind, words } from './step-lines.ts';

/** An activity that is not finished, as the server describes it. */
export type PendingActivity = NonNullable<DescribeWorkflowExecutionResponse['pendingActivities']>[number];

/** An activity, a timer or a child workflow that has not ended. */
interface Opened {
  name: string;
  atMs: number;
  /** Only activities have one. */
  activityId?: string;
  undo?: boolean;
  attempt: number;
  /** Failed attempts that have been told already, by polling or by the next start. */
  toldAttempts: number;
}

/** Numbers of temporal.api.enums.v1.WorkflowTaskFailedCause that are neither a bug nor worth a line. */
const quietTaskFailures = new Set<unknown>([
  1, // UNHANDLED_COMMAND: a message came in meanwhile, and the task is done again with it
  13, // RESET_STICKY_TASK_QUEUE
  17, // FORCE_CLOSE_COMMAND
  18, // FAILOVER_CLOSE_COMMAND
  31, // UNHANDLED_UPDATE: as 1, for an update
]);

/** temporal.api.enums.v1.PendingActivityState: waiting for a worker, or for its next try. */
const stateScheduled = 1;
const dayMs = 86_400_000;

/**
 * Turns the events of one run into steps, in order, without any server. Feed it each event once; it remembers what
 * is open, so that an end can be told with its name and duration.
 */
export class HistorySteps {
  /** When the first event of the run happened, in ms since 1970. */
  startMs: number | undefined;
  /** Set by the event that closes the run. */
  end: RunEnd | undefined;
  /** The first run of the chain that this one belongs to: a reset or continued run has the same. */
  firstRunId: string | undefined;
  #opened = new Map<string, Opened>();
  /** The same bug comes again at each try; it is told once. */
  #lastBug: string | undefined;
  #updates = new Map<string, string>();

  /** Whether an activity is scheduled and not finished: then {@link pending} may have something to tell. */
  get hasOpenActivities(): boolean {
    return [...this.#opened.values()].some((one) => one.activityId !== undefined);
  }

  /** The steps of one event: none for what is only bookkeeping. */
  read(event: HistoryEvent): Step[] {
    const atMs = msOf(event.eventTime) ?? 0;
    this.startMs ??= atMs;
    return this.#opening(event, atMs) ?? this.#ending(event, atMs) ?? this.#message(event, atMs) ?? [];
  }

  /** The failed attempts of unfinished activities that have not been told yet; `nowMs` where the server gives no time. */
  pending(activities: readonly PendingActivity[], nowMs: number): Step[] {
    const opened = new Map([...this.#opened.values()].map((one) => [one.activityId, one]));
    return activities.flatMap((activity) => {
      const one = activity.activityId ? opened.get(activity.activityId) : undefined;
      if (!one || !activity.lastFailure) return [];
      const atMs = msOf(activity.lastAttemptCompleteTime) ?? nowMs;
      const reason = failureWords(activity.lastFailure);
      return failedAttempts(one, (activity.attempt ?? 1) - 1, reason, nextTry(activity, atMs), atMs);
    });
  }

  #opening(event: HistoryEvent, atMs: number): Step[] | undefined {
    const summary = summaryOf(event);
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      const type = scheduled.activityType?.name ?? 'activity';
      const undo = /^(cancel|undo|refund|revoke)(?![a-z])/.test(type) || /^(undo|cancel)\b/i.test(summary ?? '');
      this.#open(event, { name: summary ?? words(type), atMs, undo, activityId: scheduled.activityId ?? '' });
      return [];
    }
    const running = event.activityTaskStartedEventAttributes;
    if (running) {
      const one = this.#opened.get(key(running.scheduledEventId));
      if (!one) return [];
      one.attempt = running.attempt || 1;
      // Quick retries fall between two polls; the start, which is written only with the end, knows the last of them.
      return failedAttempts(one, one.attempt - 1, failureWords(running.lastFailure), 'tried again', atMs);
    }
    const timer = event.timerStartedEventAttributes;
    if (timer) {
      const ms = msOf(timer.startToFireTimeout) ?? 0;
      const name = `timer ${durationWords(ms)}`;
      const about = summary ? `: ${summary}` : '';
      this.#open(event, { name: `${name}${summary ? ` (${summary})` : ''}`, atMs });
      const until = ms >= dayMs ? `waits until ${new Date(atMs + ms).toISOString().slice(0, 10)} (${name})` : '';
      return [{ atMs, kind: 'plain', text: (until || `waits ${durationWords(ms)}`) + about }];
    }
    const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
    if (child) {
      this.#open(event, { name: `child workflow ${summary ?? words(child.workflowType?.name ?? '')}`, atMs });
      return [];
    }
    return undefined;
  }

  #ending(event: HistoryEvent, atMs: number): Step[] | undefined {
    const end = runEndOf(event);
    if (end) {
      this.end = end;
      return [{ atMs, kind: end.kind, text: end.words }];
    }
    const ending = endingOf(event);
    if (!ending) return undefined;
    const one = this.#opened.get(key(ending.opened));
    if (!one) return [];
    this.#opened.delete(key(ending.opened));
    const done = ending.kind === 'done';
    const kind = done && one.undo ? 'undone' : ending.kind;
    const durationMs = done ? atMs - one.atMs : undefined;
    const note = one.attempt > 1 ? `(attempt ${one.attempt})` : undefined;
    return [{ atMs, kind, text: one.name + ending.words, durationMs, note }];
  }

  #message(event: HistoryEvent, atMs: number): Step[] | undefined {
    const step = (kind: StepKind, text: string): Step[] => [{ atMs, kind, text }];
    const started = event.workflowExecutionStartedEventAttributes;
    if (started) {
      this.firstRunId = started.firstExecutionRunId ?? undefined;
      const how = started.continuedExecutionRunId ? 'goes on as a new run' : 'started';
      const summary = summaryOf(event);
      const about = summary ? `: ${summary}` : '';
      return step('plain', `${words(started.workflowType?.name ?? '').toLowerCase()} ${how}${about}`);
    }
    const child = event.childWorkflowExecutionStartedEventAttributes;
    if (child) {
      const name = this.#opened.get(key(child.initiatedEventId))?.name ?? 'child workflow';
      return step('plain', `${name} started (${child.workflowExecution?.workflowId})`);
    }
    const signaled = event.workflowExecutionSignaledEventAttributes;
    if (signaled) return step('plain', `signal ${signaled.signalName} received`);
    const accepted = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest;
    if (accepted) {
      this.#updates.set(accepted.meta?.updateId ?? '', accepted.input?.name ?? '');
      return step('plain', `update ${accepted.input?.name} accepted`);
    }
    const answered = event.workflowExecutionUpdateCompletedEventAttributes;
    if (answered) {
      const name = `update ${this.#updates.get(answered.meta?.updateId ?? '') ?? answered.meta?.updateId}`;
      const failure = answered.outcome?.failure;
      return failure ? step('failed', `${name}: ${failureWords(failure)}`) : step('done', `${name} answered`);
    }
    const asked = event.workflowExecutionCancelRequestedEventAttributes;
    if (asked) return step('trouble', `cancellation requested${asked.cause ? `: ${asked.cause}` : ''}`);
    const sends = event.signalExternalWorkflowExecutionInitiatedEventAttributes;
    if (sends) return step('plain', `sends signal ${sends.signalName} to ${sends.workflowExecution?.workflowId}`);
    // The worker that has this workflow in its cache, or has taken its task, keeps silent.
    if (event.workflowTaskTimedOutEventAttributes)
      return step('trouble', 'worker lost; another one takes over, as soon as there is one');
    const bug = event.workflowTaskFailedEventAttributes;
    if (bug?.newRunId) return step('trouble', 'reset: goes on from here as a new run');
    if (bug && !quietTaskFailures.has(bug.cause)) {
      const reason = failureWords(bug.failure);
      if (reason === this.#lastBug) return [];
      this.#lastBug = reason;
      return step('trouble', `workflow code failed, is tried until it is mended: ${reason}`);
    }
    return undefined;
  }

  #open(event: HistoryEvent, opened: Omit<Opened, 'attempt' | 'toldAttempts'>): void {
    this.#opened.set(key(event.eventId), { attempt: 1, toldAttempts: 0, ...opened });
  }
}

function failedAttempts(opened: Opened, upTo: number, reason: string, next: string, atMs: number): Step[] {
  if (upTo <= opened.toldAttempts) return [];
  const from = opened.toldAttempts + 1;
  opened.toldAttempts = upTo;
  const which = from === upTo ? `attempt ${upTo} failed` : `attempts ${from} to ${upTo} failed, last`;
  return [{ atMs, kind: 'retry', text: `${opened.name}, ${which}: ${reason}; ${next}` }];
}

/** A protobuf time or duration in ms; its seconds are a 64-bit object, a number or text, by how they were read. */
function msOf(time: HistoryEvent['eventTime']): number | undefined {
  return time ? Number(String(time.seconds ?? 0)) * 1000 + Math.floor((time.nanos ?? 0) / 1e6) : undefined;
}

function nextTry(activity: PendingActivity, failedAtMs: number): string {
  // currentRetryInterval says nonsense once the wait is over and the next attempt is in the queue.
  const nextMs = msOf(activity.nextAttemptScheduleTime);
  if (nextMs !== undefined) return `next try in ${durationWords(nextMs - failedAtMs)}`;
  return activity.state === stateScheduled ? 'waits for a worker' : 'tries again';
}

function summaryOf(event: HistoryEvent): string | undefined {
  const payload = event.userMetadata?.summary;
  try {
    const value = payload ? defaultPayloadConverter.fromPayload<unknown>(payload) : undefined;
    return typeof value === 'string' && value.trim() !== '' ? value : undefined;
  } catch {
    // Encrypted, or written by something else: the type's own name still says what it is.
    return undefined;
  }
}

function key(eventId: HistoryEvent['eventId']): string {
  return String(eventId ?? '');
}
