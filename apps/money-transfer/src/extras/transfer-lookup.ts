import { OperatorError } from '@repo/worker-kit';
import {
  type Client,
  QueryNotRegisteredError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ApplicationFailure, fromPayloadsAtIndex } from '@temporalio/common';
import type { TransferRequest, TransferState } from '../contract.ts';
import * as contract from '../contract.ts';
import type { transfer } from '../workflows.ts';

/** How long a worker that is up may take to begin with an answer. */
const workerAnswersWithin = 3_000; // milliseconds

class NoSuchTransfer extends OperatorError {}
/** The transfer is open, and what was asked for needs a worker. */
class NoWorker extends OperatorError {}
/** Its workflow was terminated or timed out, so it has no outcome. */
export class EndedFromOutside extends OperatorError {}

export type Handle = WorkflowHandle<typeof transfer>;

/** No worker has answered in time. */
class Unanswered extends Error {}

interface Asking<Answer> {
  open(handle: Handle): Promise<Answer>;
  ended(state: TransferState): Answer;
  /** What no answer in time means, in words. `notKnown` unless told otherwise. */
  unanswered?(reference: string, status: string, taskQueue: string): OperatorError;
}

/**
 * Asks an open transfer, or answers with what an ended one left behind, which needs no worker.
 * @throws NoSuchTransfer, NoWorker, EndedFromOutside; WorkflowFailedError if its request was refused (`InvalidTransfer`)
 */
export async function openOrEnded<Answer>(
  client: Client,
  reference: string,
  { open, ended, unanswered = notKnown }: Asking<Answer>,
): Promise<Answer> {
  const handle = client.workflow.getHandle<typeof transfer>(contract.transferWorkflowId(reference));
  // Asked first, because it needs no worker.
  const { closeTime, taskQueue, typedSearchAttributes } = await describe(handle, reference);
  const status = typedSearchAttributes.get(contract.statusAttribute) ?? 'not begun';
  if (closeTime === undefined) {
    try {
      return await open(handle);
    } catch (error) {
      if (error instanceof Unanswered) throw unanswered(reference, status, taskQueue);
      // It has ended meanwhile.
      if (!(error instanceof WorkflowNotFoundError || error instanceof QueryNotRegisteredError)) throw error;
    }
  }
  return ended(await endedState(client, handle, reference, status));
}

async function describe(handle: Handle, reference: string) {
  try {
    return await handle.describe();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    const next = 'Transfers are listed by: pnpm --filter money-transfer transfer list';
    throw new NoSuchTransfer(`There is no transfer ${reference}.`, next);
  }
}

/** The command that starts a worker for a task queue. */
export const workerCommand = (taskQueue: string): string =>
  `${taskQueue === contract.defaultTaskQueue ? '' : `TASK_QUEUE=${taskQueue} `}pnpm --filter money-transfer worker`;

const notKnown = (reference: string, status: string, taskQueue: string) =>
  new NoWorker(
    `Transfer ${reference} is ${status}; nobody serves task queue ${taskQueue}, so no more is known now.`,
    `Start a worker: ${workerCommand(taskQueue)}`,
  );

/** For an update: Temporal keeps one that it has taken, also for a worker that comes later. */
export const mayBeRecorded = (reference: string, _status: string, taskQueue: string): OperatorError =>
  new NoWorker(
    `Nobody has answered for transfer ${reference} in ${workerAnswersWithin / 1000} s. It may be recorded, and then goes on when a worker is back: ${workerCommand(taskQueue)}`,
    `What has become of it: pnpm --filter money-transfer transfer status ${reference}`,
  );

async function endedState(client: Client, handle: Handle, reference: string, status: string): Promise<TransferState> {
  try {
    const outcome = await handle.result();
    return { request: await requestOf(client, handle.workflowId), status: outcome.status, attempt: 1, outcome };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || error.cause instanceof ApplicationFailure) throw error;
    throw new EndedFromOutside(
      `Transfer ${reference} was ended from outside while it was ${status}: ${error.cause?.message ?? error.message}.`,
      'What is left of it is put right by: pnpm --filter money-transfer transfer reconcile',
      { cause: error },
    );
  }
}

/** The request with which the workflow was started, from its first event, with its defaults filled in. */
export async function requestOf(client: Client, workflowId: string): Promise<TransferRequest> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: 1,
  });
  let payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
  return contract.inTheWorkflow.transfer.parse(fromPayloadsAtIndex(payloadConverter, 0, payloads));
}

/** When anything was last recorded of a workflow, in milliseconds since 1970. A failed try alone is not recorded. */
export async function lastEventAt(client: Client, workflowId: string): Promise<number> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: 1,
  });
  const { seconds, nanos } = history?.events?.[0]?.eventTime ?? {};
  return Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6;
}

/** @throws an error that `openOrEnded` understands after three seconds, or as soon as Temporal itself knows of no worker */
export async function ifWorkerAnswers<Answer>(client: Client, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await client.withDeadline(Date.now() + workerAnswersWithin, ask);
  } catch (error) {
    if (causes(error).some((one) => 'code' in one && unanswered.includes(one.code as number))) throw new Unanswered();
    throw error;
  }
}

/** Status codes of gRPC: CANCELLED and DEADLINE_EXCEEDED, for a deadline that has passed is seen as either, and FAILED_PRECONDITION. */
const unanswered = [1, 4, 9];

/** An error and what caused it, outermost first. */
export function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}
