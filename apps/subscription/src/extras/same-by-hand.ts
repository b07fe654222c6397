import { type Session, webUiLink } from '@repo/dev-stack';
import type { Client } from '@temporalio/client';
import { type SubscriptionInput, subscriptionWorkflowId } from '../contract.ts';
import type { Demo } from './demo.ts';

/** What has just happened, for people who want to see where Temporal is: its UI, its command line, its client. */
export async function sameByHand(session: Session, client: Client, request: SubscriptionInput): Promise<string[]> {
  const link = await webUiLink(session, client, subscriptionWorkflowId(request.subscriptionId));
  const again = { ...request, subscriptionId: `${request.subscriptionId}-again` };
  const workflowId = subscriptionWorkflowId(again.subscriptionId);
  return [
    ...(link ? [`  In the Web UI:  ${link}`] : []),
    '  Another one with the stock command line, and its end:',
    `    pnpm temporal workflow execute-update-with-start --update-name subscribed --workflow-id ${workflowId} \\`,
    `      --type subscription --task-queue ${session.taskQueue} --id-conflict-policy UseExisting \\`,
    '      --id-reuse-policy RejectDuplicate \\',
    `      --input '${JSON.stringify(again)}'`,
    `    pnpm temporal workflow signal --workflow-id ${workflowId} --name cancel --input '{}'`,
    '  The same in code (src/starter.ts):',
    '    await client.workflow.executeUpdateWithStart(subscribedUpdate, { args: [request], startWorkflowOperation })',
  ];
}

/** What can be done with the worker of this `start`, for as long as it runs. */
export function whatToTry({ added }: Demo, { taskQueue }: Session): string[] {
  const customer = added.at(-1) ?? 'alice';
  const command = 'pnpm --filter subscription subscription';
  const id = `${customer}-phone-36`;
  return [
    '',
    'Subscribe to something yourself, from another terminal, and change it:',
    `  TASK_QUEUE=${taskQueue} ${command} subscribe --customer ${customer} --plan phone-36`,
    `  ${command} change-price ${id} --price 24.99`,
    `  ${command} refund ${id} --period 1`,
    `  ${command} cancel ${id}`,
    'and look at what is known of it:',
    `  ${command} status ${id}`,
    `  ${command} inbox --to ${customer}@example.com --full`,
    `  ${command} ledger ${customer}`,
  ];
}

/** Says which subscriptions outlive this start: nobody charges, or cancels, any of them without a worker. */
export async function subscriptionsThatGoOn({ print, taskQueue }: Session, client: Client): Promise<void> {
  const query = `TaskQueue="${taskQueue}" AND ExecutionStatus="Running"`;
  const list = async () => {
    const ids: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
    return ids;
  };
  // Nobody has asked for this: if Temporal does not answer, it is left out.
  const ids = await client.withDeadline(Date.now() + 2000, list).catch(() => []);
  if (ids.length === 0) return;
  print('');
  print(`Still open in Temporal: ${ids.reverse().join(', ')}`);
  print(`  A worker for them: TASK_QUEUE=${taskQueue} pnpm --filter subscription worker`);
}
