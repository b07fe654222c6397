import { userInfo } from 'node:os';
import { BrokenPromise, type Child, followTimeline, type Session } from '@repo/dev-stack';
import { isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { type Service, type TripOutcome, type TripRequest, tripWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { sameByHand } from '../same-by-hand.ts';
import { bookOrFind } from '../trips.ts';

/** Says what the scenario does to the world before there is a trip. */
export const say = (session: Session, what: string) => session.print(`          » ${what}`);

/** A trip whose steps are shown while a scenario plays with it. */
export interface WatchedTrip {
  /** Says what the scenario itself does to the world, after all that has happened in the trip before. */
  announce(what: string): Promise<void>;
  /** The same while Temporal is down, when nobody knows what has happened in the trip. */
  announceAtOnce(what: string): void;
}

/** Plays with a trip while its steps are shown, and says afterwards how to do the same by hand. */
export async function beforeOurEyes<Result>(
  session: Session,
  demo: Demo,
  request: TripRequest,
  play: (trip: WatchedTrip) => Promise<Result>,
): Promise<Result> {
  const { tripId, from, to, departure, return: back, passengers } = request;
  const workflowId = tripWorkflowId(tripId);
  session.print(`  ${from} → ${to}, ${departure} to ${back}, ${passengers} passengers; workflow ${workflowId}`);
  session.print('');
  const timeline = followTimeline(demo.client, { workflowId, print: session.print });
  let startMs: number | undefined;
  const announceAtOnce = (what: string, atMs = Date.now()) => {
    const time = startMs === undefined ? '' : `${((atMs - startMs) / 1000).toFixed(2)} s`;
    session.print(`${time.padStart(8)}  » ${what}`);
  };
  const announce = async (what: string) => {
    const atMs = Date.now();
    await timeline.caughtUp();
    startMs ??= await startOf(demo, workflowId);
    announceAtOnce(what, atMs);
  };
  let result: Result;
  try {
    result = await play({ announce, announceAtOnce });
    await timeline.caughtUp();
  } finally {
    await timeline.stop();
  }
  session.print('');
  for (const line of await sameByHand(session, demo.client, request).catch(() => [])) session.print(line);
  return result;
}

/** Undefined while there is no such workflow, or nobody who could say. */
async function startOf({ client }: Demo, workflowId: string): Promise<number | undefined> {
  const describe = () => client.workflow.getHandle(workflowId).describe();
  return (await client.withDeadline(Date.now() + 2000, describe).catch(() => undefined))?.startTime.getTime();
}

/**
 * Books a trip as the starter does, and asks again while Temporal is away: the same id and request are the same trip.
 * @returns the outcome, which must come whatever is broken meanwhile
 */
export async function book({ client }: Demo, request: TripRequest): Promise<TripOutcome> {
  for (;;) {
    try {
      return await bookOrFind(client, request, userInfo().username);
    } catch (error) {
      if (!isGrpcServiceError(error) && !(error instanceof ServiceError)) throw error;
      await pause();
    }
  }
}

/** Books a trip before our eyes; meanwhile `breakSomething` may do so. */
export function bookBeforeOurEyes(
  session: Session,
  demo: Demo,
  request: TripRequest,
  breakSomething: (trip: WatchedTrip, booking: Promise<TripOutcome>) => Promise<unknown> = async () => {},
): Promise<TripOutcome> {
  return beforeOurEyes(session, demo, request, async (trip) => {
    const booking = book(demo, request);
    const [outcome] = await Promise.all([booking, breakSomething(trip, booking)]);
    return outcome;
  });
}

/** Resolves with the running activity of this type, once it has been tried `attempt` times. */
export function activityOf({ client }: Demo, { tripId }: TripRequest, type: string, attempt = 1) {
  const handle = client.workflow.getHandle(tripWorkflowId(tripId));
  return until(`attempt ${attempt} of ${type}`, async () => {
    const { raw } = await handle.describe();
    return raw.pendingActivities?.find((one) => one.activityType?.name === type && (one.attempt ?? 0) >= attempt);
  });
}

/** The worker that has a trip: the one that took its last workflow task. */
export async function workerOf({ client, workers }: Demo, { tripId }: TripRequest): Promise<Child> {
  const { events } = await client.workflow.getHandle(tripWorkflowId(tripId)).fetchHistory();
  const identity = events?.findLast((event) => event.workflowTaskStartedEventAttributes)
    ?.workflowTaskStartedEventAttributes?.identity;
  const found = workers.find(({ pid }) => identity?.startsWith(`${pid}@`));
  if (!found) throw new Error(`None of this start's workers is ${identity}`);
  return found;
}

/** How often an activity of a trip was tried, for one that has ended well. */
export async function attemptsOf({ client }: Demo, { tripId }: TripRequest, type: string): Promise<number> {
  const { events = [] } = await client.workflow.getHandle(tripWorkflowId(tripId)).fetchHistory();
  const scheduled = events?.find((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === type);
  const started = events?.find(
    ({ activityTaskStartedEventAttributes: one }) => one && String(one.scheduledEventId) === String(scheduled?.eventId),
  );
  return started?.activityTaskStartedEventAttributes?.attempt ?? 0;
}

/** Asks every 50 ms, also while the trip is not there yet. @throws BrokenPromise if it has not come after a minute */
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

/** @throws BrokenPromise unless the trip has ended, or rests, like this */
export function expectStatus<Status extends TripOutcome['status']>(outcome: TripOutcome, expected: Status) {
  if (outcome.status !== expected) throw new BrokenPromise('outcome of the workflow', expected, outcome);
  return outcome as Extract<TripOutcome, { status: Status }>;
}

/** @throws BrokenPromise unless both are the same, written as JSON */
export function expectSame(what: string, expected: unknown, actual: unknown): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new BrokenPromise(what, expected, actual);
}

/** @throws BrokenPromise unless the trip is booked in exactly these services, and every stock adds up */
export async function expectInTheBooks({ books }: Demo, tripId: string, expected: readonly Service[]): Promise<void> {
  expectSame('active bookings in the databases', expected, await books.activeBookings(tripId));
  expectSame('days whose stock is not the sum of its bookings', [], await books.stockThatDoesNotAddUp());
}
