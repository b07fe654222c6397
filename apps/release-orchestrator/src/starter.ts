import { userInfo } from 'node:os';
import { connectClient, isMain, parseJson, runProgram, taskQueue } from '@repo/worker-kit';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import * as contract from './contract.ts';
import type { release } from './workflows.ts';

/** Starts a release and waits until it needs an approval, or has ended. Asked again for the same, it finds the open one. */
export function create(client: Client, request: contract.ReleaseInput, startedBy: string) {
  return client.workflow.executeUpdateWithStart(contract.outcomeUpdate, {
    args: [request],
    startWorkflowOperation: new WithStartWorkflowOperation<typeof release>('release', {
      workflowId: contract.releaseWorkflowId(request.release),
      taskQueue: taskQueue(contract.defaultTaskQueue),
      args: [request],
      workflowIdConflictPolicy: 'USE_EXISTING',
      // A second run would find its generations issued, and its environments changed since.
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      typedSearchAttributes: [{ key: contract.startedByAttribute, value: startedBy }],
    }),
  });
}

if (isMain(import.meta.url)) {
  await runProgram(async () => {
    const request = parseJson(contract.atTheDoor.release, process.argv[2] ?? '{}');
    const client = await connectClient();
    console.log(await create(client, request, userInfo().username).finally(() => client.connection.close()));
  });
}
