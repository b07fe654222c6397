import { listFields, newest } from '@repo/worker-kit/listing';
import { causes, ifWorkerAnswers, isLeftUnanswered, refused, Unanswered } from '@repo/worker-kit/lookup';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import type { CancelRequest, TripOutcome, TripRequest, TripState } from '../contract.ts';
import * as contract from '../contract.ts';
import { bookTrip } from '../starter.ts';
import { openOrEnded } from './trip-lookup.ts';

/** What one can do with trips, for the command line and the HTTP service alike. */

const tripStatuses = ['booking', 'compensating', 'booked', 'compensated', 'cancelled', 'needs-attention'] as const;

export const cancelAtTheDoor = z.strictObject({
  requestedAt: z.iso
    .datetime({ offset: true, error: 'must be a time with its offset, as 2027-03-01T12:00:00Z' })
    .optional(),
});

/**
 * Books a trip, or answers with the outcome of the trip that has this id already, be it open or ended.
 * @throws WorkflowUpdateFailedError with `TripMismatch` if that one has other details
 */
export async function bookOrFind(client: Client, request: TripRequest, startedBy: string): Promise<TripOutcome> {
  try {
    return await bookTrip(client, request, startedBy);
  } catch (error) {
    if (isLeftUnanswered(error)) return bookOrFind(client, request, startedBy);
    // Temporal takes some thousand updates for one workflow; a trip that was asked for that often is known by now.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError || isUpdateLimit(error))) throw error;
    const found = await tripState(client, request.tripId);
    const differing = contract.differingFields(found.request, request);
    if (differing.length > 0) {
      const message = `${differing.join(', ')}: trip ${request.tripId} exists with other details`;
      throw refused(contract.failureTypes.tripMismatch, message);
    }
    if (found.outcome) return found.outcome;
    throw error;
  }
}

/**
 * What is known of a trip. Of one that has ended, Temporal knows it without a worker.
 * @throws NoSuchWorkflow, NoWorker, EndedFromOutside; WorkflowFailedError if its request was refused (`InvalidTrip`)
 */
export function tripState(client: Client, tripId: string): Promise<TripState> {
  return openOrEnded(client, tripId, {
    open: (handle) => ifWorkerAnswers(client, () => handle.query(contract.stateQuery)),
    ended: (state) => state,
  });
}

/**
 * Cancels a trip. Without a worker, or with `wait: false`, the cancellation is recorded, and counts as of `requestedAt`
 * (default: now) once a worker is up.
 * @returns the outcome; undefined if the cancellation was only recorded
 * @throws NoSuchWorkflow, EndedFromOutside; WorkflowUpdateFailedError with `TripDeparted`
 */
export function cancelTrip(
  client: Client,
  tripId: string,
  { requestedAt, wait = true }: NonNullable<CancelRequest> & { wait?: boolean },
): Promise<TripOutcome | undefined> {
  return openOrEnded<TripOutcome | undefined>(client, tripId, {
    open: async (handle) => {
      const cancel = { requestedAt: requestedAt ?? new Date().toISOString() };
      const record = () => handle.signal(contract.cancelSignal, cancel).then(() => undefined);
      if (!wait) return record();
      try {
        const options = { args: [cancel] as [CancelRequest], waitForStage: 'ACCEPTED' as const };
        const accepted = await ifWorkerAnswers(client, () => handle.startUpdate(contract.cancelUpdate, options));
        return await accepted.result();
      } catch (error) {
        if (error instanceof Unanswered) return record();
        throw error;
      }
    },
    ended: ({ outcome, request }) => {
      if (outcome?.status !== 'booked') return outcome;
      const message = `trip ${tripId} has departed on ${request.departure}`;
      throw refused(contract.failureTypes.tripDeparted, message);
    },
  });
}

/**
 * Tries again what is stuck, and answers with what has become of it.
 * @throws NoSuchWorkflow, NoWorker, EndedFromOutside; WorkflowUpdateFailedError with `NothingToResolve`
 */
export function resolveTrip(client: Client, tripId: string): Promise<TripOutcome> {
  return openOrEnded(client, tripId, {
    open: async (handle) => {
      const options = { waitForStage: 'ACCEPTED' as const };
      const accepted = await ifWorkerAnswers(client, () => handle.startUpdate(contract.resolveUpdate, options));
      return accepted.result();
    },
    ended: ({ status }) => {
      const message = `trip ${tripId} is ${status}: nothing waits for a person`;
      throw refused(contract.failureTypes.nothingToResolve, message);
    },
  });
}

/** For the doors, where all of these are text. */
export const listQuery = z.strictObject(listFields(tripStatuses));

export interface ListedTrip {
  tripId: string;
  /** Undefined for a trip that no worker has taken up yet. */
  status: TripState['status'] | undefined;
  /** Temporal's own word: RUNNING, COMPLETED, TERMINATED … */
  execution: string;
  started: string;
  startedBy: string | undefined;
}

/** Open ones first, then those that ended last. The list lags behind by some moments: it is for people, not for decisions. */
export async function listTrips(
  client: Client,
  { status, startedBy, limit }: z.output<typeof listQuery>,
): Promise<ListedTrip[]> {
  const found = await newest(client, { workflowType: 'trip', where: { Status: status, StartedBy: startedBy }, limit });
  return found.map(({ name, attributes, execution, started }) => ({
    tripId: name,
    status: attributes.Status as TripState['status'] | undefined,
    execution,
    started,
    startedBy: attributes.StartedBy,
  }));
}

/** Whether Temporal has a trip of this id, be it open or ended. Answers within two seconds, or throws. */
export async function isRecorded(client: Client, tripId: string): Promise<boolean> {
  const handle = client.workflow.getHandle(contract.tripWorkflowId(tripId));
  try {
    await client.withDeadline(Date.now() + 2_000, () => handle.describe());
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

const isUpdateLimit = (error: unknown): boolean =>
  causes(error).some(({ message }) => /limit on the total number of distinct updates/.test(message));
