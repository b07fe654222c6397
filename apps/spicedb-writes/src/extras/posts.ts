import { userInfo } from 'node:os';
import { taskQueue } from '@repo/worker-kit';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
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

/** Changes a post and waits for the outcome, after any change of it that is under way. */
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
    // How that one ends is for whoever has started it.
    const underWay = client.workflow.getHandle(contract.postWorkflowId(request.post));
    await underWay.result().catch(() => {});
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
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** The command that starts a worker for a task queue. */
export const workerCommand = (queue: string): string =>
  `${queue === contract.defaultTaskQueue ? '' : `TASK_QUEUE=${queue} `}pnpm --filter spicedb-writes worker`;
