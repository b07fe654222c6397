import { type Client, isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { Child } from './children.ts';
import { BrokenPromise } from './start.ts';
import type { Session } from './start-session.ts';
import { followTimeline } from './timeline.ts';

/** A workflow whose steps are shown while a scenario plays with it. */
export interface Watched {
  /** Says what the scenario itself does to the world, after all that has happened in the workflow before. */
  announce(what: string): Promise<void>;
  /** The same while Temporal is down, when nobody knows what has happened in the workflow. */
  announceAtOnce(what: string): void;
}

/** Says what the scenario does to the world before there is a workflow. */
export const say = (session: Session, what: string): void => session.print(`          » ${what}`);

/** Plays with a workflow, which may not have been started yet, while its steps are shown. */
export async function watch<Result>(
  session: Session,
  client: Client,
  workflowId: string,
  play: (watched: Watched) => Promise<Result>,
): Promise<Result> {
  const timeline = followTimeline(client, { workflowId, print: session.print });
  let startMs: number | undefined;
  const announceAtOnce = (what: string, atMs = Date.now()) => {
    const time = startMs === undefined ? '' : `${((atMs - startMs) / 1000).toFixed(2)} s`;
    session.print(`${time.padStart(8)}  » ${what}`);
  };
  const announce = async (what: string) => {
    const atMs = Date.now();
    await timeline.caughtUp();
    startMs ??= await startOf(client, workflowId);
    announceAtOnce(what, atMs);
  };
  try {
    const result = await play({ announce, announceAtOnce });
    await timeline.caughtUp();
    return result;
  } finally {
    await timeline.stop();
  }
}

/** Undefined while there is no such workflow, or nobody who could say. */
async function startOf(client: Client, workflowId: string): Promise<number | undefined> {
  const describe = () => client.workflow.getHandle(workflowId).describe();
  return (await client.withDeadline(Date.now() + 2000, describe).catch(() => undefined))?.startTime.getTime();
}

/** Calls again while Temporal is away: for calls that do nothing twice. */
export async function untilTemporalAnswers<Result>(call: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isGrpcServiceError(error) && !(error instanceof ServiceError)) throw error;
      await pause();
    }
  }
}

/** Resolves with the running activity of this type, once it has been tried `attempt` times. */
export function activityOf(client: Client, workflowId: string, type: string, attempt = 1) {
  const handle = client.workflow.getHandle(workflowId);
  return until(`attempt ${attempt} of ${type}`, async () => {
    const { raw } = await handle.describe();
    return raw.pendingActivities?.find((one) => one.activityType?.name === type && (one.attempt ?? 0) >= attempt);
  });
}

/** How often an activity was tried, for one that has ended well; 0 if there was none. */
export async function attemptsOf(client: Client, workflowId: string, type: string): Promise<number> {
  const { events = [] } = await client.workflow.getHandle(workflowId).fetchHistory();
  const scheduled = events?.find((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === type);
  const started = events?.find(
    ({ activityTaskStartedEventAttributes: one }) => one && String(one.scheduledEventId) === String(scheduled?.eventId),
  );
  return started?.activityTaskStartedEventAttributes?.attempt ?? 0;
}

/** Which of these workers has a workflow: the one that took its last workflow task. */
export async function workerOf(client: Client, workers: readonly Child[], workflowId: string): Promise<Child> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const identity = events?.findLast((event) => event.workflowTaskStartedEventAttributes)
    ?.workflowTaskStartedEventAttributes?.identity;
  const found = workers.find(({ pid }) => identity?.startsWith(`${pid}@`));
  if (!found) throw new Error(`None of this start's workers is ${identity}`);
  return found;
}

/** Asks every 50 ms, also while the workflow is not there yet. @throws BrokenPromise if it has not come after a minute */
export async function until<Found>(what: string, ask: () => Promise<Found | undefined>): Promise<Found> {
  const giveUp = Date.now() + 60_000;
  while (Date.now() < giveUp) {
    const found = await ask().catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    });
    if (found !== undefined) return found;
    await pause();
  }
  throw new BrokenPromise('what was waited for', what, 'not there after a minute');
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

/** @throws BrokenPromise unless both are the same, written as JSON */
export function expectSame(what: string, expected: unknown, actual: unknown): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new BrokenPromise(what, expected, actual);
}

/** The page of a workflow in the Web UI; undefined if the server has none that is known. */
export async function webUiLink(session: Session, client: Client, workflowId: string): Promise<string | undefined> {
  const { temporal } = session.stack;
  if (!temporal?.uiUrl) return undefined;
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  return `${temporal.uiUrl}/namespaces/${temporal.namespace}/workflows/${encodeURIComponent(workflowId)}/${runId}`;
}
