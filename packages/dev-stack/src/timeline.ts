import type { Client } from '@temporalio/client';
import { code, grpcStatus, passing } from './grpc-status.ts';
import type { HistoryEvent } from './history-endings.ts';
import { HistorySteps } from './history-steps.ts';
import { pause } from './pause.ts';
import { formatStep, type LineStyle, oneLine, type Step } from './step-lines.ts';

/** Which workflow to follow, and where its lines go. */
export interface TimelineOptions {
  workflowId: string;
  /** Default: the workflow's current run. Runs that follow it (continue-as-new, retry, reset) are followed too. */
  runId?: string;
  /** Receives one finished line a step. */
  print: (line: string) => void;
  /** Default: the terminal's width and colours. */
  style?: Omit<LineStyle, 'startMs'>;
  /** How long to wait for a workflow that does not exist yet, in ms. Default: 10 000. */
  appearTimeoutMs?: number;
}

/** Why a timeline ended: the workflow did, `stop` was called, or the history cannot be read any more. */
export type TimelineEnd = 'closed' | 'stopped' | 'lost';

/** A timeline that is being written. */
export interface Timeline {
  /** Never rejects: nobody has to wait for it. */
  done: Promise<TimelineEnd>;
  /** Resolves when all that has happened up to this call is told, or when the timeline ends. Never rejects. */
  caughtUp(): Promise<void>;
  /** Ends it at once, calls in flight included; afterwards the connection may be closed. */
  stop(): Promise<void>;
}

/** How often unfinished activities are asked for. The history itself says nothing until they have ended. */
const pendingEveryMs = 200;
/** How often to ask at other times, only to notice that the server is gone. */
const aliveEveryMs = 500;
/** The server ends a long poll by itself after about 20 s; a call that takes longer is lost. */
const longPollMs = 60_000;
const shortCallMs = 2000;

const statusRunning = 1;

/**
 * Prints what happens in a workflow, as it happens, from its history: steps, attempts and the wait before the next,
 * messages, timers, the end. Ends by itself when the workflow closes. A server that stops and comes back is said
 * once each, and nothing is told twice or left out.
 */
export function followTimeline(client: Client, options: TimelineOptions): Timeline {
  const follower = new Follower(client, options);
  const done = follower.follow();
  return {
    done,
    caughtUp: () => follower.caughtUp(),
    stop: async () => {
      follower.stop();
      await done;
    },
  };
}

class Follower {
  readonly #client: Client;
  readonly #options: TimelineOptions;
  readonly #ended = new AbortController();
  readonly #calls = new Set<AbortController>();
  #poll = new AbortController();
  #steps = new HistorySteps();
  #runId: string | undefined;
  #startMs: number | undefined;
  /** The last event told; workflow tasks do not count, for one that did not happen may leave its number to another event. */
  #told = 0;
  /** The last event read. */
  #seen = 0;
  #away = false;
  /** Set while a reset run repeats what its base has told already: the run whose own part is waited for. */
  #repeating: string | undefined;

  constructor(client: Client, options: TimelineOptions) {
    this.#client = client;
    this.#options = options;
    this.#runId = options.runId;
  }

  stop(): void {
    this.#ended.abort();
    for (const call of this.#calls) call.abort();
  }

  async caughtUp(): Promise<void> {
    const described = await this.#describe().catch(() => undefined);
    const { execution, historyLength } = described?.workflowExecutionInfo ?? {};
    const behind = () => this.#runId !== execution?.runId || this.#seen < Number(historyLength);
    while (execution && behind() && !this.#ended.signal.aborted) await pause(10, this.#ended.signal);
    // Attempts that failed are not in the history before the last one.
    if (described) this.#tell(this.#steps.pending(described.pendingActivities ?? [], Date.now()));
  }

  async follow(): Promise<TimelineEnd> {
    const watching = this.#watchPending();
    try {
      return await this.#followRuns();
    } catch (error) {
      if (this.#ended.signal.aborted) return 'stopped';
      this.#say(`this timeline ends here: ${error instanceof Error ? error.message : String(error)}`);
      return 'lost';
    } finally {
      this.stop();
      await watching;
    }
  }

  async #followRuns(): Promise<TimelineEnd> {
    const appearBy = Date.now() + (this.#options.appearTimeoutMs ?? 10_000);
    let token: Uint8Array | undefined;
    while (!this.#ended.signal.aborted) {
      try {
        // Stay with one run, even if the next begins while this one is read.
        this.#runId ??= (await this.#describe()).workflowExecutionInfo?.execution?.runId ?? undefined;
        const page = await this.#page(token);
        this.#answered();
        token = page.nextPageToken?.length ? page.nextPageToken : undefined;
        for (const event of page.history?.events ?? []) this.#read(event);
        if (!this.#steps.end) continue;
        if (!(await this.#nextRun())) return 'closed';
        token = undefined;
      } catch (error) {
        if (this.#ended.signal.aborted) break;
        // Read again from the beginning: a token may not outlive a restart, and #told knows what was told.
        const hadToken = token !== undefined;
        token = undefined;
        const status = grpcStatus(error);
        if (status === code.notFound && this.#startMs === undefined && Date.now() < appearBy) {
          await pause(pendingEveryMs, this.#ended.signal);
        } else if (status !== undefined && passing.has(status)) {
          // A long poll that ran out says nothing about the server; anything else does.
          if (status !== code.deadlineExceeded) this.#unanswered();
          await pause(pendingEveryMs, this.#ended.signal);
        } else if (status !== code.cancelled && !(status === code.invalidArgument && hadToken)) {
          throw error;
        }
      }
    }
    return 'stopped';
  }

  #page(token: Uint8Array | undefined) {
    this.#poll = new AbortController();
    return this.#call(this.#poll, longPollMs, () =>
      this.#client.workflowService.getWorkflowExecutionHistory({
        namespace: this.#client.options.namespace,
        execution: this.#execution(),
        waitNewEvent: true,
        nextPageToken: token ?? null,
      }),
    );
  }

  #describe(execution = this.#execution()) {
    return this.#call(new AbortController(), shortCallMs, () =>
      this.#client.workflowService.describeWorkflowExecution({ namespace: this.#client.options.namespace, execution }),
    );
  }

  /** One call with its own signal: the client never takes its listener off a signal again. */
  async #call<T>(controller: AbortController, timeoutMs: number, call: () => Promise<T>): Promise<T> {
    if (this.#ended.signal.aborted) controller.abort();
    this.#calls.add(controller);
    try {
      const deadline = Date.now() + timeoutMs;
      return await this.#client.withAbortSignal(controller.signal, () => this.#client.withDeadline(deadline, call));
    } finally {
      this.#calls.delete(controller);
    }
  }

  #execution() {
    return { workflowId: this.#options.workflowId, runId: this.#runId ?? '' };
  }

  #read(event: HistoryEvent): void {
    const id = Number(event.eventId);
    this.#seen = id;
    if (id <= this.#told) return;
    if (!event.workflowTaskScheduledEventAttributes && !event.workflowTaskStartedEventAttributes) this.#told = id;
    const steps = this.#steps.read(event);
    this.#startMs ??= this.#steps.startMs;
    if (this.#repeating && event.workflowTaskFailedEventAttributes?.newRunId === this.#repeating)
      this.#repeating = undefined;
    if (!this.#repeating) this.#tell(steps);
  }

  /** Turns to the run that follows the one that has ended; false if there is none. */
  async #nextRun(): Promise<boolean> {
    const { end, firstRunId } = this.#steps;
    let next = end?.nextRunId;
    if (end?.terminated) {
      const latest = (await this.#describe({ workflowId: this.#options.workflowId, runId: '' })).workflowExecutionInfo;
      const reset = latest?.status === statusRunning && latest.firstRunId === firstRunId;
      next = reset ? (latest.execution?.runId ?? undefined) : undefined;
      this.#repeating = next;
    }
    if (!next) return false;
    this.#runId = next;
    this.#told = 0;
    this.#seen = 0;
    this.#steps = new HistorySteps();
    return true;
  }

  async #watchPending(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await pause(this.#steps.hasOpenActivities ? pendingEveryMs : aliveEveryMs, this.#ended.signal);
      if (this.#ended.signal.aborted || this.#startMs === undefined) continue;
      try {
        const steps = this.#steps;
        const described = await this.#describe();
        const wasAway = this.#away;
        this.#answered();
        // The poll may be waiting for its next retry, seconds away, although the server is back.
        if (wasAway) this.#poll.abort();
        if (steps === this.#steps) this.#tell(steps.pending(described.pendingActivities ?? [], Date.now()));
      } catch (error) {
        const status = grpcStatus(error);
        if (status !== undefined && passing.has(status) && !this.#ended.signal.aborted) this.#unanswered();
      }
    }
  }

  #unanswered(): void {
    if (!this.#away) this.#say('Temporal is not reachable; the workflow goes on when it is back');
    this.#away = true;
  }

  #answered(): void {
    if (this.#away) this.#say('Temporal is reachable again');
    this.#away = false;
  }

  #say(text: string): void {
    this.#tell([{ atMs: Date.now(), kind: 'trouble', text: oneLine(text) }]);
  }

  #tell(steps: readonly Step[]): void {
    for (const step of steps) {
      this.#options.print(formatStep(step, { ...this.#options.style, startMs: this.#startMs ?? step.atMs }));
    }
  }
}
