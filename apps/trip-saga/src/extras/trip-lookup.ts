import { OperatorError } from '@repo/worker-kit';
import { type Client, QueryNotRegisteredError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure, fromPayloadsAtIndex } from '@temporalio/common';
import type { TripOutcome, TripRequest, TripState } from '../contract.ts';
import * as contract from '../contract.ts';

/** How long a worker that is up may take to begin with an answer. */
const workerAnswersWithin = 3_000; // milliseconds

export class NoSuchTrip extends OperatorError {}
/** The trip is open, and what was asked for needs a worker. */
export class NoWorker extends OperatorError {}
/** Its workflow was terminated or timed out, so it has no outcome. */
export class EndedFromOutside extends OperatorError {}

type Handle = ReturnType<Client['workflow']['getHandle']>;

/** No worker has answered in time. */
export class Unanswered extends Error {}

/**
 * Asks an open trip, or answers with what an ended one left behind, which needs no worker.
 * @throws NoSuchTrip, NoWorker, EndedFromOutside; WorkflowFailedError if its request was refused (`InvalidTrip`)
 */
export async function openOrEnded<Answer>(
  client: Client,
  tripId: string,
  { open, ended }: { open(handle: Handle): Promise<Answer>; ended(state: TripState): Answer },
): Promise<Answer> {
  const handle = client.workflow.getHandle(contract.tripWorkflowId(tripId));
  // Asked first, because it needs no worker.
  const { closeTime, taskQueue, typedSearchAttributes } = await describe(handle, tripId);
  const status = typedSearchAttributes.get(contract.statusAttribute) ?? 'not begun';
  if (closeTime === undefined) {
    try {
      return await open(handle);
    } catch (error) {
      if (error instanceof Unanswered) throw noWorker(tripId, status, taskQueue);
      // It has ended meanwhile.
      if (!(error instanceof WorkflowNotFoundError || error instanceof QueryNotRegisteredError)) throw error;
    }
  }
  return ended(await endedState(client, handle, tripId, status));
}

async function describe(handle: Handle, tripId: string) {
  try {
    return await handle.describe();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError) && grpcCode(error) !== invalidArgument) throw error;
    throw new NoSuchTrip(`There is no trip ${tripId}.`, 'Trips are listed by: pnpm --filter trip-saga trip list');
  }
}

/** The command that starts a worker for a task queue. */
export const workerCommand = (taskQueue: string): string =>
  `${taskQueue === contract.defaultTaskQueue ? '' : `TASK_QUEUE=${taskQueue} `}pnpm --filter trip-saga worker`;

const noWorker = (tripId: string, status: string, taskQueue: string) =>
  new NoWorker(
    `Trip ${tripId} is ${status}; nobody serves task queue ${taskQueue}, so no more is known now.`,
    `Start a worker: ${workerCommand(taskQueue)}`,
  );

async function endedState(client: Client, handle: Handle, tripId: string, status: string): Promise<TripState> {
  let outcome: TripOutcome;
  try {
    outcome = await handle.result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || error.cause instanceof ApplicationFailure) throw error;
    throw new EndedFromOutside(
      `Trip ${tripId} was ended from outside while it was ${status}: ${error.cause?.message ?? error.message}.`,
      'What is left of it is put right by: pnpm --filter trip-saga trip reconcile',
      { cause: error },
    );
  }
  const request = await requestOf(client, handle.workflowId);
  return { request, status: outcome.status, bookings: outcome.status === 'booked' ? outcome.bookings : {}, outcome };
}

/** The request with which the workflow was started, from its first event. */
async function requestOf(client: Client, workflowId: string): Promise<TripRequest> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: 1,
  });
  let payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
  return fromPayloadsAtIndex(payloadConverter, 0, payloads);
}

/** @throws Unanswered after three seconds, or as soon as Temporal itself knows of no worker */
export async function ifWorkerAnswers<Answer>(client: Client, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await client.withDeadline(Date.now() + workerAnswersWithin, ask);
  } catch (error) {
    if (unanswered.includes(grpcCode(error) ?? 0)) throw new Unanswered();
    throw error;
  }
}

// Status codes of gRPC. A deadline that has passed is seen as either of the first two.
const [cancelled, deadlineExceeded, unavailable] = [1, 4, 14];
const [invalidArgument, failedPrecondition] = [3, 9];
const unanswered = [cancelled, deadlineExceeded, failedPrecondition];

/** True for an error that says that Temporal itself does not answer. */
export const isUnreachable = (error: unknown): boolean =>
  [cancelled, deadlineExceeded, unavailable].includes(grpcCode(error) ?? 0);

/** The gRPC status code in an error or one of its causes; undefined if there is none. */
const grpcCode = (error: unknown): number | undefined =>
  causes(error)
    .map((one) => ('code' in one ? one.code : undefined))
    .find((code): code is number => typeof code === 'number');

/** An error and what caused it, outermost first. */
export function causes(error: unknown): Error[] {
  const found: Error[] = [];
  for (let one = error; one instanceof Error; one = one.cause) found.push(one);
  return found;
}
