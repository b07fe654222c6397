import { listFields, newest } from '@repo/worker-kit/listing';
import { causes, ifWorkerAnswers, refused } from '@repo/worker-kit/lookup';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { z } from 'zod';
import type { Decision, TransferInput, TransferOutcome, TransferState } from '../contract.ts';
import * as contract from '../contract.ts';
import { send } from '../starter.ts';
import { mayBeRecorded, openOrEnded } from './transfer-lookup.ts';

/** What one can do with transfers, for the commands, the scenarios and the tests alike. */

/**
 * Sends money, or answers with what has become of the transfer of this reference, be it open or ended.
 * @throws WorkflowUpdateFailedError with `TransferMismatch` if that one has other details; EndedFromOutside
 */
export async function sendOrFind(client: Client, input: TransferInput, startedBy: string): Promise<TransferOutcome> {
  try {
    return await send(client, input, startedBy);
  } catch (error) {
    // What was started ended between two tries of one call; asked again, the server says so.
    const isDeduped = causes(error).some(({ message }) => message.includes('StartDeduped'));
    if (isDeduped) return sendOrFind(client, input, startedBy);
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const request = contract.atTheDoor.transfer.parse(input);
    const found = await transferState(client, request.reference);
    const differing = contract.differingFields(found.request, request);
    if (differing.length > 0) {
      const message = `${differing.join(', ')}: transfer ${request.reference} exists with other details`;
      throw refused(contract.failureTypes.transferMismatch, message);
    }
    if (found.outcome) return found.outcome;
    throw error;
  }
}

/**
 * What is known of a transfer. Of one that has ended, Temporal knows it without a worker.
 * @throws NoSuchWorkflow, NoWorker, EndedFromOutside; WorkflowFailedError if its request was refused (`InvalidTransfer`)
 */
export function transferState(client: Client, reference: string): Promise<TransferState> {
  return openOrEnded(client, reference, {
    open: (handle) => ifWorkerAnswers(client, () => handle.query(contract.stateQuery)),
    ended: (state) => state,
  });
}

type Asked = typeof contract.approveUpdate;

/** Tells an open transfer who has decided; of an ended one, it is what an open one would answer that is thrown. */
const tell =
  (update: Asked, failureType: string, why: string) =>
  (client: Client, reference: string, decision: Decision): Promise<TransferOutcome> =>
    openOrEnded(client, reference, {
      open: async (handle) => {
        const options = { args: [decision] as [Decision], waitForStage: 'ACCEPTED' as const };
        const accepted = await ifWorkerAnswers(client, () => handle.startUpdate(update, options));
        return accepted.result();
      },
      unanswered: mayBeRecorded,
      ended: ({ status }) => {
        throw refused(failureType, `transfer ${reference} is ${status}: ${why}`);
      },
    });

const { notWaiting, nothingToResolve } = contract.failureTypes;

/**
 * Decides on a transfer that waits, and answers with what becomes of it.
 * @throws NoSuchWorkflow, NoWorker, EndedFromOutside; WorkflowUpdateFailedError with `NotWaitingForApproval`, `OwnTransfer`
 */
export const approve = tell(contract.approveUpdate, notWaiting, 'it does not wait for approval');
export const reject = tell(contract.rejectUpdate, notWaiting, 'it does not wait for approval');

/**
 * Tries again what could neither be deposited nor given back, and answers with what becomes of it.
 * @throws NoSuchWorkflow, NoWorker, EndedFromOutside; WorkflowUpdateFailedError with `NothingToResolve`
 */
export const resolve = tell(contract.resolveUpdate, nothingToResolve, 'nothing waits for a person');

const statuses = [
  ...['transferring', 'giving-back', 'waiting-for-approval', 'needs-attention'],
  ...['completed', 'refused', 'refunded', 'rejected', 'expired', 'cancelled'],
] as TransferState['status'][];

/** For the doors, where all of these are text. */
export const listQuery = z.strictObject(listFields(statuses));

export interface ListedTransfer {
  reference: string;
  /** Undefined for a transfer that no worker has taken up yet. */
  status: TransferState['status'] | undefined;
  /** Temporal's own word: RUNNING, COMPLETED, TERMINATED … */
  execution: string;
  started: string;
  startedBy: string | undefined;
}

/** Open ones first, then those that ended last. The list lags behind by some moments: it is for people, not for decisions. */
export async function list(
  client: Client,
  { status, startedBy, limit }: z.output<typeof listQuery>,
): Promise<ListedTransfer[]> {
  const found = await newest(client, {
    workflowType: 'transfer',
    where: { Status: status, StartedBy: startedBy },
    limit,
  });
  return found.map(({ name, attributes, execution, started }) => ({
    reference: name,
    status: attributes.Status as TransferState['status'] | undefined,
    execution,
    started,
    startedBy: attributes.StartedBy,
  }));
}
