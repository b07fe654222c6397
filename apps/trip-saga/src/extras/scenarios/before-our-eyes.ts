import { userInfo } from 'node:os';
import {
  activityOf as activityIn,
  attemptsOf as attemptsIn,
  BrokenPromise,
  expectSame,
  type Session,
  untilTemporalAnswers,
  type Watched,
  watch,
  workerOf as workerIn,
} from '@repo/dev-stack';
import { type Service, type TripOutcome, type TripRequest, tripWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { sameByHand } from '../same-by-hand.ts';
import { bookOrFind } from '../trips.ts';

/** Plays with a trip while its steps are shown, and says afterwards how to do the same by hand. */
export async function beforeOurEyes<Result>(
  session: Session,
  demo: Demo,
  request: TripRequest,
  play: (trip: Watched) => Promise<Result>,
): Promise<Result> {
  const { tripId, from, to, departure, return: back, passengers } = request;
  const workflowId = tripWorkflowId(tripId);
  session.print(`  ${from} → ${to}, ${departure} to ${back}, ${passengers} passengers; workflow ${workflowId}`);
  session.print('');
  const result = await watch(session, demo.client, workflowId, play);
  session.print('');
  for (const line of await sameByHand(session, demo.client, request).catch(() => [])) session.print(line);
  return result;
}

/**
 * Books a trip as the starter does, and asks again while Temporal is away: the same id and request are the same trip.
 * @returns the outcome, which must come whatever is broken meanwhile
 */
export const book = ({ client }: Demo, request: TripRequest): Promise<TripOutcome> =>
  untilTemporalAnswers(() => bookOrFind(client, request, userInfo().username));

/** Books a trip before our eyes; meanwhile `breakSomething` may do so. */
export function bookBeforeOurEyes(
  session: Session,
  demo: Demo,
  request: TripRequest,
  breakSomething: (trip: Watched, booking: Promise<TripOutcome>) => Promise<unknown> = async () => {},
): Promise<TripOutcome> {
  return beforeOurEyes(session, demo, request, async (trip) => {
    const booking = book(demo, request);
    const [outcome] = await Promise.all([booking, breakSomething(trip, booking)]);
    return outcome;
  });
}

/** Resolves with the running activity of this type, once it has been tried `attempt` times. */
export const activityOf = ({ client }: Demo, { tripId }: TripRequest, type: string, attempt?: number) =>
  activityIn(client, tripWorkflowId(tripId), type, attempt);

/** How often an activity of a trip was tried, for one that has ended well. */
export const attemptsOf = ({ client }: Demo, { tripId }: TripRequest, type: string) =>
  attemptsIn(client, tripWorkflowId(tripId), type);

/** The worker that has a trip. */
export const workerOf = ({ client, workers }: Demo, { tripId }: TripRequest) =>
  workerIn(client, workers, tripWorkflowId(tripId));

/** @throws BrokenPromise unless the trip has ended, or rests, like this */
export function expectStatus<Status extends TripOutcome['status']>(outcome: TripOutcome, expected: Status) {
  if (outcome.status !== expected) throw new BrokenPromise('outcome of the workflow', expected, outcome);
  return outcome as Extract<TripOutcome, { status: Status }>;
}

/** @throws BrokenPromise unless the trip is booked in exactly these services, and every stock adds up */
export async function expectInTheBooks({ books }: Demo, tripId: string, expected: readonly Service[]): Promise<void> {
  expectSame('active bookings in the databases', expected, await books.activeBookings(tripId));
  expectSame('days whose stock is not the sum of its bookings', [], await books.stockThatDoesNotAddUp());
}
