import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { connectClient, isMain, parseInput, runProgram, taskQueue } from '@repo/worker-kit';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import * as contract from './contract.ts';
import type { writePost } from './workflows.ts';

/** Writes a post and waits for the outcome, after any change of it that is running: there is one at a time. */
export function write(client: Client, request: contract.WriteRequest, by: string): Promise<contract.WriteOutcome> {
  const typedSearchAttributes = [{ key: contract.startedByAttribute, value: by }];
  const place = { workflowId: contract.postWorkflowId(request.post), taskQueue: taskQueue(contract.defaultTaskQueue) };
  const options = { ...place, typedSearchAttributes, args: [request] as [contract.WriteRequest] };
  return client.workflow.execute<typeof writePost>('writePost', options).catch(async (error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const [underWay] = await Promise.allSettled([client.workflow.getHandle(options.workflowId).result()]);
    // How that one ends is for whoever has started it; that Temporal does not answer is for this one, too.
    if (underWay.status === 'rejected' && !(underWay.reason instanceof WorkflowFailedError)) throw underWay.reason;
    return write(client, request, by);
  });
}

if (isMain(import.meta.url)) {
  await runProgram(async () => {
    const { values } = parseArgs({ options: { author: { type: 'string' }, post: { type: 'string' } } });
    const request = parseInput(contract.atTheDoor.write, values);
    const client = await connectClient();
    console.log(await write(client, request, userInfo().username).finally(() => client.connection.close()));
  });
}
