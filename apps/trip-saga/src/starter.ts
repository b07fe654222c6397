import { userInfo } from 'node:os';
import { connectClient, isMain, parseJson, runProgram, taskQueue } from '@repo/worker-kit';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import * as contract from './contract.ts';
import type { trip } from './workflows.ts';

/** Books one trip and waits for its outcome. Asked again with the same trip id, it finds the trip while that is open. */
export function bookTrip(client: Client, request: contract.TripRequest, startedBy: string) {
  return client.workflow.executeUpdateWithStart(contract.outcomeUpdate, {
    args: [request],
    startWorkflowOperation: new WithStartWorkflowOperation<typeof trip>('trip', {
      workflowId: contract.tripWorkflowId(request.tripId),
      taskQueue: taskQueue(contract.defaultTaskQueue),
      args: [request],
      workflowIdConflictPolicy: 'USE_EXISTING',
      // A second run would share the booking keys of the first: undoing one would undo the other.
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      typedSearchAttributes: [{ key: contract.startedByAttribute, value: startedBy }],
    }),
  });
}

if (isMain(import.meta.url)) {
  await runProgram(async () => {
    const request = parseJson(contract.tripRequestAtTheDoor(Date.now()), process.argv[2] ?? '{}');
    const client = await connectClient();
    console.log(await bookTrip(client, request, userInfo().username).finally(() => client.connection.close()));
  });
}
