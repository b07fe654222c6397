import { type Session, webUiLink } from '@repo/dev-stack';
import type { Client } from '@temporalio/client';
import { postWorkflowId } from '../contract.ts';
import { type Changes, workerCommand } from './posts.ts';

/** What has just happened, for people who want to see where Temporal is: its UI, its command line, its client. */
export async function sameByHand<Name extends keyof Changes>(
  session: Session,
  client: Client,
  name: Name,
  request: Changes[Name]['request'],
): Promise<string[]> {
  const link = await webUiLink(session, client, postWorkflowId(request.post));
  const again = name === 'writePost' ? { ...request, post: `${request.post}-again` } : request;
  return [
    ...(link ? [`  In the Web UI:  ${link}`] : []),
    '  The same with the stock command line:',
    `    pnpm temporal workflow execute --type ${name} --task-queue ${session.taskQueue} \\`,
    `      --workflow-id ${postWorkflowId(again.post)} --input '${JSON.stringify(again)}'`,
    '  The same in code (src/starter.ts):',
    `    await client.workflow.execute('${name}', { workflowId: postWorkflowId(post), taskQueue, args: [request] })`,
  ];
}

/** What can be done with the worker of this `start`, for as long as it runs. */
export function whatToTry({ taskQueue }: Session): string[] {
  return [
    '',
    'Write a post of your own here, from another terminal:',
    `  TASK_QUEUE=${taskQueue} pnpm --filter spicedb-writes post write --author bob --post another_post`,
    'and ask both stores for it:',
    '  pnpm --filter spicedb-writes post check --user bob --post another_post --permission edit',
    '  pnpm --filter spicedb-writes post list --user bob',
    '  pnpm --filter spicedb-writes post reconcile --dry-run',
  ];
}

/** At the end: what is not finished has been acknowledged, and this start's own worker will not be there any more. */
export async function changesThatGoOn(
  { print, taskQueue }: Pick<Session, 'print' | 'taskQueue'>,
  client: Client,
): Promise<void> {
  const query = `TaskQueue="${taskQueue}" AND ExecutionStatus="Running"`;
  const list = async () => {
    const ids: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
    return ids;
  };
  // Nobody has asked for this: if Temporal does not answer, it is left out.
  const ids = await client.withDeadline(Date.now() + 2_000, list).catch(() => []);
  if (ids.length === 0) return;
  print('');
  print(`Still open in Temporal, and finished as soon as a worker serves it: ${ids.reverse().join(', ')}`);
  print(`  ${workerCommand(taskQueue)}`);
}
