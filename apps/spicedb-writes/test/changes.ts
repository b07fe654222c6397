import type { Client } from '@temporalio/client';
import { postWorkflowId } from '../src/contract.ts';
import type * as workflows from '../src/workflows.ts';

type Workflows = typeof workflows;
type Request<Name extends keyof Workflows> = Parameters<Workflows[Name]>[0];

/** The app's workflows on one task queue, by the client of a test. */
export function changesBy(client: Client, taskQueue: string) {
  const start = <Name extends keyof Workflows>(type: Name, request: Request<Name>, workflowId?: string) =>
    client.workflow.start<Workflows[Name]>(type, {
      workflowId: workflowId ?? postWorkflowId(request.post),
      taskQueue,
      args: [request] as never,
    });
  const outcomeOf = async <Name extends keyof Workflows>(type: Name, request: Request<Name>) =>
    (await start(type, request)).result();
  return { start, outcomeOf };
}
