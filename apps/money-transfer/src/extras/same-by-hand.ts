import { type Session, webUiLink } from '@repo/dev-stack';
import type { Client } from '@temporalio/client';
import { type TransferInput, transferWorkflowId } from '../contract.ts';
import type { Demo } from './demo.ts';

/** What has just happened, for people who want to see where Temporal is: its UI, its command line, its client. */
export async function sameByHand(session: Session, client: Client, request: TransferInput): Promise<string[]> {
  const link = await webUiLink(session, client, transferWorkflowId(request.reference));
  const again = { ...request, reference: `${request.reference}-again` };
  return [
    ...(link ? [`  In the Web UI:  ${link}`] : []),
    '  Another one with the stock command line:',
    `    pnpm temporal workflow execute-update-with-start --update-name outcome --workflow-id ${transferWorkflowId(again.reference)} \\`,
    `      --type transfer --task-queue ${session.taskQueue} --id-conflict-policy UseExisting \\`,
    '      --id-reuse-policy RejectDuplicate \\',
    `      --input '${JSON.stringify(again)}'`,
    '  The same in code (src/starter.ts):',
    '    await client.workflow.executeUpdateWithStart(outcomeUpdate, { args: [request], startWorkflowOperation })',
  ];
}

/** What can be done with the worker of this `start`, for as long as it runs. */
export function whatToTry({ accounts }: Demo, { taskQueue }: Session): string[] {
  const [from = 'alice', to = 'bob'] = accounts.slice(-2);
  return [
    '',
    'Transfer something yourself here, from another terminal, and send it again:',
    `  TASK_QUEUE=${taskQueue} pnpm --filter money-transfer transfer send --from ${from} --to ${to} --amount 1.50 --currency EUR --reference ${from}-lunch`,
    'and look at what the ledger has:',
    `  pnpm --filter money-transfer transfer status ${from}-lunch`,
    `  pnpm --filter money-transfer transfer statement ${from}`,
    '  pnpm --filter money-transfer transfer reconcile --dry-run',
  ];
}
