import { userInfo } from 'node:os';
import { connectClient, isMain, parseJson, runProgram, taskQueue } from '@repo/worker-kit';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import * as contract from './contract.ts';
import type { transfer } from './workflows.ts';

/** Sends money and waits for what becomes of it. Asked again for the same reference, it finds the transfer while that is open. */
export function send(client: Client, request: contract.TransferInput, startedBy: string) {
  return client.workflow.executeUpdateWithStart(contract.outcomeUpdate, {
    args: [request],
    startWorkflowOperation: new WithStartWorkflowOperation<typeof transfer>('transfer', {
      workflowId: contract.transferWorkflowId(request.reference),
      taskQueue: taskQueue(contract.defaultTaskQueue),
      args: [request],
      workflowIdConflictPolicy: 'USE_EXISTING',
      // A second run would ask the ledger for legs that it has answered.
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      typedSearchAttributes: [{ key: contract.startedByAttribute, value: startedBy }],
    }),
  });
}

if (isMain(import.meta.url)) {
  await runProgram(async () => {
    const request = parseJson(contract.atTheDoor.transfer, process.argv[2] ?? '{}');
    const client = await connectClient();
    console.log(await send(client, request, userInfo().username).finally(() => client.connection.close()));
  });
}
