import { userInfo } from 'node:os';
import { connectClient, isMain, parseJson, runProgram, taskQueue } from '@repo/worker-kit';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import * as contract from './contract.ts';
import type { subscription } from './workflows.ts';

/** Subscribes, and waits until it stands; of an open one of the same id, it answers for that. An id is used once, or `again`. */
export function subscribe(client: Client, request: contract.SubscriptionInput, startedBy: string, again = false) {
  return client.workflow.executeUpdateWithStart(contract.subscribedUpdate, {
    args: [request],
    startWorkflowOperation: new WithStartWorkflowOperation<typeof subscription>('subscription', {
      workflowId: contract.subscriptionWorkflowId(request.subscriptionId),
      taskQueue: taskQueue(contract.defaultTaskQueue),
      args: [request],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: again ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
      typedSearchAttributes: [{ key: contract.startedByAttribute, value: startedBy }],
    }),
  });
}

if (isMain(import.meta.url)) {
  await runProgram(async () => {
    const request = parseJson(contract.atTheDoor.subscription, process.argv[2] ?? '{}');
    const client = await connectClient();
    console.log(await subscribe(client, request, userInfo().username).finally(() => client.connection.close()));
  });
}
