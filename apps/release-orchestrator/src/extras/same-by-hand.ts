import { type Session, webUiLink } from '@repo/dev-stack';
import { environments, type ReleaseInput, releaseWorkflowId } from '../contract.ts';
import type { Demo } from './demo.ts';

/** What has just happened, for people who want to see where Temporal is: its UI, its command line, its client. */
export async function sameByHand(session: Session, { client }: Demo, request: ReleaseInput): Promise<string[]> {
  const workflowId = releaseWorkflowId(request.release);
  const link = await webUiLink(session, client, workflowId);
  const again = { ...request, release: `${request.release}-again`, environments: ['dev'] };
  const id = releaseWorkflowId(again.release);
  return [
    ...(link ? [`  In the Web UI:  ${link}`] : []),
    '  Another one with the stock command line:',
    `    pnpm temporal workflow start --workflow-id ${id} --id-reuse-policy RejectDuplicate \\`,
    `      --type release --task-queue ${session.taskQueue} \\`,
    `      --input '${JSON.stringify(again)}'`,
    `    pnpm temporal workflow update execute --workflow-id ${id} --name approve --input '{"by":"carol"}'`,
    '  The same in code (src/starter.ts):',
    '    await client.workflow.executeUpdateWithStart(outcomeUpdate, { args: [request], startWorkflowOperation })',
  ];
}

/** What can be done with the environments and the worker of this `start`, for as long as it runs. */
export function whatToTry({ hosts, releases }: Demo, { taskQueue }: Session): string[] {
  const app = `TASK_QUEUE=${taskQueue} pnpm --filter release-orchestrator release`;
  const last = releases.at(-1) ?? 'r-1';
  return [
    '',
    'The environments, for as long as this runs:',
    ...environments.map((one) => `  ${one.padEnd(5)} ${hosts.addresses[one]?.url}/hello-web/  …/status-page/`),
    'Look around, from another terminal:',
    `  ${app} env show`,
    `  ${app} summary ${last}`,
    `  ${app} history`,
    'and, once there have been two, go back to the one before:',
    `  ${app} rollback --env prod`,
  ];
}
