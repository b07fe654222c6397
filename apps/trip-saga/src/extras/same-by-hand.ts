import { type Session, webUiLink } from '@repo/dev-stack';
import type { Client } from '@temporalio/client';
import { statusAttribute, type TripRequest, tripWorkflowId } from '../contract.ts';

/** What has just happened, for people who want to see where Temporal is: its UI, its command line, its client. */
export async function sameByHand(session: Session, client: Client, request: TripRequest): Promise<string[]> {
  const workflowId = tripWorkflowId(request.tripId);
  const link = await webUiLink(session, client, workflowId);
  const again = { ...request, tripId: `${request.tripId}-again` };
  return [
    ...(link === undefined ? [] : [`  In the Web UI:  ${link}`]),
    '  Another one with the stock command line:',
    `    pnpm temporal workflow execute-update-with-start --update-name outcome --workflow-id ${tripWorkflowId(again.tripId)} \\`,
    `      --type trip --task-queue ${session.taskQueue} --id-conflict-policy UseExisting --id-reuse-policy RejectDuplicate \\`,
    `      --input '${JSON.stringify(again)}'`,
    '  The same in code (src/starter.ts):',
    `    await client.workflow.executeUpdateWithStart(outcomeUpdate, { args: [request], startWorkflowOperation })`,
  ];
}

/** How another trip is booked on the services and the worker of this `start`, for as long as it runs. */
export function anotherTrip(session: Session): string[] {
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
  return [
    '',
    'Book a trip of your own here, from another terminal:',
    `  TASK_QUEUE=${session.taskQueue} pnpm --filter trip-saga trip book --from BER --to LIS --departure ${inDays(60)} --return ${inDays(64)}`,
  ];
}

/** At the end: trips that wait for their departure, or have not got so far, and this start's own worker will not be there any more. */
export async function tripsThatGoOn({ print, taskQueue, suffix }: Session, client: Client): Promise<void> {
  const query = `TaskQueue="${taskQueue}" AND ExecutionStatus="Running"`;
  const list = async () => {
    const [booked, others]: [string[], string[]] = [[], []];
    for await (const { workflowId, typedSearchAttributes } of client.workflow.list({ query })) {
      (typedSearchAttributes.get(statusAttribute) === 'booked' ? booked : others).unshift(workflowId);
    }
    return { booked, others };
  };
  // Nobody has asked for this: if Temporal does not answer, it is left out.
  const { booked, others } = await client
    .withDeadline(Date.now() + 2000, list)
    .catch(() => ({ booked: [], others: [] }));
  if (booked.length + others.length === 0) return;
  print('');
  if (booked.length > 0) {
    print(`Still open in Temporal, as it should be until the departure: ${booked.join(', ')}`);
  }
  if (others.length > 0) print(`Not at an end yet, and goes on as soon as a worker runs: ${others.join(', ')}`);
  print(`  A worker for what was started here (${suffix}): TASK_QUEUE=${taskQueue} pnpm --filter trip-saga worker`);
}
