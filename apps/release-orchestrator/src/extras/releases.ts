import { taskQueue } from '@repo/worker-kit';
import { listFields, newest } from '@repo/worker-kit/listing';
import { causes, ifWorkerAnswers, refused } from '@repo/worker-kit/lookup';
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
} from '@temporalio/client';
import { z } from 'zod';
import type { Approval, Decision, ReleaseEnding, ReleaseInput, ReleaseOutcome, ReleaseState } from '../contract.ts';
import * as contract from '../contract.ts';
import { create } from '../starter.ts';
import type { rollback as rollbackWorkflow } from '../workflows.ts';
import { mayBeRecorded, openOrEnded } from './release-lookup.ts';

/** What one can do with releases, for the commands, the scenarios and the tests alike. */

/**
 * Starts a release, or answers with what has become of the one of this name, be it open or ended. It waits until there is
 * something to approve, or the end.
 * @throws WorkflowUpdateFailedError with `ReleaseMismatch` if that one has other details; EndedFromOutside
 */
export async function createOrFind(client: Client, input: ReleaseInput, startedBy: string): Promise<ReleaseOutcome> {
  try {
    return await create(client, input, startedBy);
  } catch (error) {
    // What was started ended between two tries of one call; asked again, the server says so.
    const isDeduped = causes(error).some(({ message }) => message.includes('StartDeduped'));
    if (isDeduped) return createOrFind(client, input, startedBy);
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const request = contract.atTheDoor.release.parse(input);
    const found = await releaseState(client, request.release);
    const differing = contract.differingFields(found.request, request);
    if (differing.length > 0) {
      const message = `${differing.join(', ')}: release ${request.release} exists with other details`;
      throw refused(contract.failureTypes.releaseMismatch, message);
    }
    if (found.outcome) return found.outcome;
    throw error;
  }
}

/**
 * What is known of a release. Of one that has ended, Temporal knows it without a worker.
 * @throws NoSuchWorkflow, NoWorker, EndedFromOutside; WorkflowFailedError if its request was refused (`InvalidRelease`)
 */
export function releaseState(client: Client, name: string): Promise<ReleaseState> {
  return openOrEnded(client, name, {
    open: (handle) => ifWorkerAnswers(client, () => handle.query(contract.stateQuery)),
    ended: (state) => state,
  });
}

/**
 * Waits until a release has ended, however long that takes.
 * @throws NoSuchWorkflow, EndedFromOutside; WorkflowFailedError if its request was refused (`InvalidRelease`)
 */
export function endOf(client: Client, name: string): Promise<ReleaseEnding> {
  const ended = ({ outcome }: ReleaseState) => outcome as ReleaseEnding;
  return openOrEnded(client, name, {
    open: async (handle) => {
      try {
        return (await handle.result()) as ReleaseEnding;
      } catch (error) {
        // Whoever does not wait any longer is not to begin anew.
        if (!(error instanceof WorkflowFailedError)) throw error;
        // Of one that was ended from outside, the second look says more.
        return openOrEnded(client, name, { open: (again) => again.result() as Promise<ReleaseEnding>, ended });
      }
    },
    ended,
  });
}

/** Decides; of a release that has ended, it is what an open one would answer that is thrown. */
const decide =
  (update: typeof contract.approveUpdate) =>
  (client: Client, name: string, decision: Decision): Promise<Approval> =>
    openOrEnded(client, name, {
      open: async (handle) => {
        const options = { args: [decision] as [Decision], waitForStage: 'ACCEPTED' as const };
        const accepted = await ifWorkerAnswers(client, () => handle.startUpdate(update, options));
        return accepted.result();
      },
      unanswered: mayBeRecorded,
      ended: ({ status }) => {
        throw refused(contract.failureTypes.notWaiting, `release ${name} is ${status}: it does not wait for approval`);
      },
    });

/**
 * Decides on a release that waits, and answers as soon as that is recorded; `endOf` waits for what becomes of it.
 * @throws NoSuchWorkflow, NoWorker, EndedFromOutside; WorkflowUpdateFailedError with `NotWaitingForApproval`, `DocumentMismatch`
 */
export const approve = decide(contract.approveUpdate);
export const reject = decide(contract.rejectUpdate);

/**
 * Asks for the end of a release; recorded also while no worker is up. `endOf` waits for what becomes of it.
 * @returns false if it has ended already
 * @throws NoSuchWorkflow, EndedFromOutside
 */
export function cancel(client: Client, name: string, by: string): Promise<boolean> {
  return openOrEnded(client, name, {
    open: async (handle) => {
      await handle.signal(contract.cancelSignal, { by, requestedAt: new Date().toISOString() });
      return true;
    },
    ended: () => false,
  });
}

/**
 * Brings an environment back to what was good before, and waits for the end. The same id again gets the same answer.
 * @throws WorkflowUpdateFailedError with `ReleaseMismatch` if that id was used with other details
 */
export async function rollback(
  client: Client,
  request: contract.RollbackRequest,
  startedBy: string,
): Promise<contract.RollbackEnding> {
  const workflowId = contract.rollbackWorkflowId(request);
  try {
    return await client.workflow.executeUpdateWithStart(contract.rollbackUpdate, {
      args: [request],
      startWorkflowOperation: new WithStartWorkflowOperation<typeof rollbackWorkflow>('rollback', {
        workflowId,
        taskQueue: taskQueue(contract.defaultTaskQueue),
        args: [request],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        typedSearchAttributes: [{ key: contract.startedByAttribute, value: startedBy }],
      }),
    });
  } catch (error) {
    const isOver = causes(error).some(({ message }) => message.includes('StartDeduped'));
    if (!isOver && !(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return client.workflow.getHandle<typeof rollbackWorkflow>(workflowId).result();
  }
}

const statuses = [
  ...['gathering', 'building', 'documenting', 'waiting-for-approval', 'deploying'],
  ...['released', 'rejected', 'expired', 'failed', 'cancelled', 'superseded', 'refused'],
  'needs-attention',
] as ReleaseState['status'][];

/** For the doors, where all of these are text. */
export const listQuery = z.strictObject(listFields(statuses));

export interface ListedRelease {
  release: string;
  /** Undefined for a release that no worker has taken up yet. */
  status: ReleaseState['status'] | undefined;
  /** Temporal's own word: RUNNING, COMPLETED, TERMINATED … */
  execution: string;
  started: string;
  startedBy: string | undefined;
}

/** Open ones first, then those that ended last. The list lags behind by some moments: it is for people, not for decisions. */
export async function list(
  client: Client,
  { status, startedBy, limit }: z.output<typeof listQuery>,
): Promise<ListedRelease[]> {
  const found = await newest(client, {
    workflowType: 'release',
    where: { Status: status, StartedBy: startedBy },
    limit,
  });
  return found.map(({ name, attributes, execution, started }) => ({
    release: name,
    status: attributes.Status as ReleaseState['status'] | undefined,
    execution,
    started,
    startedBy: attributes.StartedBy,
  }));
}
