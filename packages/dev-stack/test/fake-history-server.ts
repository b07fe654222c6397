import { type Client, defaultPayloadConverter, type ProtoFailure } from '@temporalio/client';
import { msNumberToTs } from '@temporalio/common/lib/time.js';
import type { HistoryEvent } from '../src/history-endings.ts';
import type { PendingActivity } from '../src/history-steps.ts';

/** As the client throws what the server, or its absence, says. */
function grpcError(code: number, details: string): Error {
  return Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
}

/** Answers the two calls that a timeline makes, from what a test puts in. Stands in for a server that a test can switch off between two events. */
export class FakeHistoryServer {
  readonly runs = new Map<string, HistoryEvent[]>();
  currentRun = 'run-1';
  pending: PendingActivity[] = [];
  describedWith = { status: 1, firstRunId: 'run-1' };
  calls = 0;
  #away = false;
  #changed = new EventTarget();
  #signal: AbortSignal | undefined;

  add(...events: HistoryEvent[]): void {
    const run = this.runs.get(this.currentRun) ?? [];
    this.runs.set(this.currentRun, [...run, ...events]);
    this.#changed.dispatchEvent(new Event('change'));
  }

  /** From now on calls fail; those that wait do so at once. Tokens of before are worthless afterwards, as after a restart. */
  set away(away: boolean) {
    this.#away = away;
    this.#changed.dispatchEvent(new Event('change'));
  }

  readonly client = {
    options: { namespace: 'default' },
    withDeadline: (_: unknown, call: () => Promise<unknown>) => call(),
    withAbortSignal: (signal: AbortSignal, call: () => Promise<unknown>) => {
      this.#signal = signal;
      return call();
    },
    workflowService: {
      getWorkflowExecutionHistory: (request: { execution: { runId: string }; nextPageToken: Uint8Array | null }) =>
        this.#history(request.execution.runId, request.nextPageToken?.[0] ?? 0, this.#signal),
      describeWorkflowExecution: async (request: { execution: { runId: string } }) => {
        this.#check();
        const runId = request.execution.runId || this.currentRun;
        if (!this.runs.has(runId)) throw grpcError(5, 'NOT_FOUND');
        return {
          pendingActivities: this.pending,
          workflowExecutionInfo: { ...this.describedWith, execution: { runId } },
        };
      },
    },
  } as unknown as Client;

  #check(): void {
    this.calls++;
    if (this.#away) throw grpcError(14, 'UNAVAILABLE');
  }

  async #history(runId: string, from: number, signal: AbortSignal | undefined) {
    this.#check();
    let events = this.runs.get(runId) ?? [];
    while (events.length <= from) {
      await new Promise((resolve) => {
        this.#changed.addEventListener('change', resolve, { once: true });
        signal?.addEventListener('abort', resolve, { once: true });
      });
      if (signal?.aborted) throw grpcError(1, 'CANCELLED');
      this.#check();
      events = this.runs.get(runId) ?? [];
    }
    // One byte is enough for the tokens of these short histories.
    return { history: { events: events.slice(from) }, nextPageToken: Uint8Array.of(events.length) };
  }
}

/** `ms` after a start some years ago. */
export const time = (ms: number) => msNumberToTs(1_700_000_000_000 + ms);

/** An event `ms` after the start. */
export function event(id: number, ms: number, attributes: object, summary?: string): HistoryEvent {
  const userMetadata = summary ? { summary: defaultPayloadConverter.toPayload(summary) } : null;
  return { eventId: id, eventTime: time(ms), userMetadata, ...attributes } as unknown as HistoryEvent;
}

export const started = (id = 1, ms = 0) =>
  event(id, ms, {
    workflowExecutionStartedEventAttributes: { workflowType: { name: 'bookTrip' }, firstExecutionRunId: 'run-1' },
  });

export const completed = (id: number, ms: number) => event(id, ms, { workflowExecutionCompletedEventAttributes: {} });

export const scheduled = (id: number, ms: number, name: string, summary?: string) =>
  event(id, ms, { activityTaskScheduledEventAttributes: { activityId: `a${id}`, activityType: { name } } }, summary);

export const finished = (id: number, ms: number, of: number) =>
  event(id, ms, { activityTaskCompletedEventAttributes: { scheduledEventId: of } });

export const failedWith = (id: number, ms: number, of: number, failure: ProtoFailure) =>
  event(id, ms, { activityTaskFailedEventAttributes: { scheduledEventId: of, failure } });
