import type { Session } from '@repo/dev-stack';
import type { Client } from '@temporalio/client';
import { type TripRequest, tripWorkflowId } from '../contract.ts';

/** What has just happened, for people who want to see where Temporal is: its UI, its command line, its client. */
export async function sameByHand(session: Session, client: Client, request: TripRequest): Promise<string[]> {
  const workflowId = tripWorkflowId(request.tripId);
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  const { temporal } = session.stack;
  const again = { ...request, tripId: `${request.tripId}-again` };
  return [
    ...(temporal?.uiUrl
      ? [
          `  In the Web UI:  ${temporal.uiUrl}/namespaces/${temporal.namespace}/workflows/${encodeURIComponent(workflowId)}/${runId}`,
        ]
      : []),
    '  Another one with the stock command line:',
    `    pnpm temporal workflow start --type trip --task-queue ${session.taskQueue} --workflow-id ${tripWorkflowId(again.tripId)} \\`,
    `      --input '${JSON.stringify(again)}'`,
    `    pnpm temporal workflow update execute --workflow-id ${tripWorkflowId(again.tripId)} --name outcome`,
    '  The same in code (src/starter.ts):',
    `    await client.workflow.executeUpdateWithStart(outcomeUpdate, { args: [request], startWorkflowOperation })`,
  ];
}
