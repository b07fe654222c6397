import { userInfo } from 'node:os';
import { taskQueue } from '@repo/worker-kit';
import { commandOn } from '@repo/worker-kit/lookup';
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { DeleteOutcome, MendOutcome, TransferOutcome, WriteOutcome } from '../contract.ts';
import * as contract from '../contract.ts';

/** What one can do with posts, for the commands and the scenarios alike. */

/** Each workflow of a post: what it is asked with, and how it ends. */
export interface Changes {
  writePost: { request: contract.WriteRequest; outcome: WriteOutcome };
  transferPost: { request: contract.TransferRequest; outcome: TransferOutcome };
  deletePost: { request: contract.PostRequest; outcome: DeleteOutcome };
  mendPost: { request: contract.PostRequest; outcome: MendOutcome };
}

type Workflow<Name extends keyof Changes> = (request: Changes[Name]['request']) => Promise<Changes[Name]['outcome']>;

/**
 * Begins a change of a post.
 * @throws WorkflowExecutionAlreadyStartedError if another one is under way
 */
export function startChange<Name extends keyof Changes>(client: Client, name: Name, request: Changes[Name]['request']) {
  return client.workflow.start<Workflow<Name>>(name, {
    workflowId: contract.postWorkflowId(request.post),
    taskQueue: taskQueue(contract.defaultTaskQueue),
    args: [request] as Parameters<Workflow<Name>>,
    typedSearchAttributes: [{ key: contract.startedByAttribute, value: userInfo().username }],
  });
}

/**
 * Changes a post and waits for the outcome, after any change of it that is under way.
 * @throws WorkflowFailedError if this change was ended from outside, as by `temporal workflow terminate`
 */
export async function changePost<Name extends keyof Changes>(
  client: Client,
  name: Name,
  request: Changes[Name]['request'],
): Promise<Changes[Name]['outcome']> {
  for (;;) {
    const handle = await startChange(client, name, request).catch((error: unknown) => {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    });
    if (handle) return (await handle.result()) as Changes[Name]['outcome'];
    const underWay = client.workflow.getHandle(contract.postWorkflowId(request.post));
    // How that one ends is for whoever has started it. All else, such as Ctrl-C, ends the waiting.
    await underWay.result().catch((error: unknown) => {
      if (!(error instanceof WorkflowFailedError)) throw error;
    });
  }
}

/** What Temporal knows of the last change of a post, without a worker. */
export interface LastChange {
  isOpen: boolean;
  /** Temporal's own word: RUNNING, COMPLETED, TERMINATED … */
  execution: string;
  /** `writePost`, … */
  type: string;
  /** The app's word for it, `changing` or `written`; undefined if no worker has taken it up yet. */
  status: string | undefined;
  /** Whose workers have to carry it on. */
  taskQueue: string;
  /** Since it was begun. */
  ageMs: number;
  /** The activity that is to be done now, if there is one. */
  step?: Step | undefined;
}

interface Step {
  /** The activity: `apply`, … */
  name: string;
  /** From 1. */
  attempt: number;
  /** Whether a worker has it at this moment; else it waits for one, or for its next attempt. */
  isRunning: boolean;
  /** Of the attempt before; undefined if none has failed yet. */
  failure: string | undefined;
}

/** Undefined if Temporal knows no workflow of this post, or none any more. */
export async function lastChange(client: Client, post: string): Promise<LastChange | undefined> {
  try {
    const found = await client.workflow.getHandle(contract.postWorkflowId(post)).describe();
    return {
      isOpen: found.closeTime === undefined,
      execution: found.status.name,
      type: found.type,
      status: found.typedSearchAttributes.get(contract.statusAttribute),
      taskQueue: found.taskQueue,
      // The server's clock may be ahead of this one.
      ageMs: Math.max(0, Date.now() - found.startTime.getTime()),
      step: stepOf(found),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** `PENDING_ACTIVITY_STATE_STARTED` of Temporal's API. */
const pendingActivityStarted = 2;

function stepOf({ raw }: WorkflowExecutionDescription): Step | undefined {
  const [pending] = raw.pendingActivities ?? [];
  if (!pending) return undefined;
  return {
    name: pending.activityType?.name ?? '',
    attempt: pending.attempt ?? 1,
    isRunning: pending.state === pendingActivityStarted,
    failure: pending.lastFailure?.message ?? undefined,
  };
}

/** The command that starts a worker for a task queue. */
export const workerCommand = commandOn('pnpm --filter spicedb-writes worker', contract.defaultTaskQueue);
