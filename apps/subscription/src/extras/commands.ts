import { userInfo } from 'node:os';
import { hinting, print, untilStopped, withClient } from '@repo/dev-stack/commands';
import { parseInput, taskQueue } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import * as contract from '../contract.ts';
import { withDatabases } from './databases-at-hand.ts';
import * as doors from './doors.ts';
import { disagreements } from './invariants.ts';
import { workerCommand } from './subscription-lookup.ts';
import * as words from './subscription-words.ts';
import * as subscriptions from './subscriptions.ts';

/** What the commands of subscriptions do. Each sets the exit code that its `--help` tells of. */

const stopped = 130;
const forAPerson = 3;

/** As commander gives them: all that is not checked here is checked at the door. */
type Options = { json?: boolean; planFile?: string; [option: string]: unknown };

/** Signs a customer up, and says whether it stands. */
export async function subscribeCommand({ json, planFile, id, plan, ...options }: Options): Promise<void> {
  if (plan !== undefined && planFile !== undefined)
    throw doors.wrong('plan', 'is given twice: by --plan and --plan-file');
  const wanted = planFile === undefined ? plan : await doors.jsonFile('planFile', planFile);
  const planName = typeof wanted === 'string' ? wanted : (wanted as { name?: unknown } | undefined)?.name;
  const subscriptionId = id ?? `${options.customer}-${planName}`;
  const request = parseInput(
    contract.atTheDoor.subscription,
    doors.given({ ...options, subscriptionId, plan: wanted }),
  ) as contract.SubscriptionRequest;
  const queue = taskQueue(contract.defaultTaskQueue);
  const hint = `Waiting. If nobody serves task queue ${queue}, start a worker: ${workerCommand(queue)}`;
  return withClient(async (client) => {
    const state = await answered(client, request.subscriptionId, () =>
      hinting(subscriptions.subscribeOrFind(client, request, userInfo().username), hint),
    );
    if (!state) return;
    const isRefused = state.status === 'refused';
    if (isRefused) process.exitCode = 1;
    if (json || !isRefused) print(json, state, words.standsInWords);
    else console.error(words.standsInWords(state));
  });
}

/** What it is at; once it is over, held against the ledger. */
export function statusCommand(id: string, { json }: Options): Promise<void> {
  parseInput(contract.atTheDoor.subscriptionId, { subscriptionId: id });
  return withClient(async (client) => {
    const state = await subscriptions.subscriptionState(client, id);
    // Before its end, a subscription may move on between a look at Temporal and one at the ledger.
    const isOver = contract.isClosed(state.status) && state.status !== 'refused';
    const disagrees = isOver ? await withDatabases(({ ledger }) => disagreements(ledger, state)) : [];
    if (disagrees.length > 0) process.exitCode = forAPerson;
    print(json, isOver ? { ...state, disagrees } : state, () => words.stateInWords(state, disagrees));
  });
}

/** The newest subscriptions, one a line. */
export function listCommand({ json, ...filter }: Options): Promise<void> {
  const query = parseInput(subscriptions.listQuery, filter);
  return withClient(async (client) => {
    const found = await subscriptions.list(client, query);
    if (!json && found.length === 0) console.log('No subscriptions.');
    for (const one of found) print(json, one, words.listLine);
  });
}

/** Undefined after Ctrl-C, with the exit code set, and what to do next. */
export async function answered<Result>(
  client: Client,
  id: string,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const result = await untilStopped(client, work);
  if (result !== undefined) return result;
  process.exitCode = stopped;
  console.error(
    'Not waited for any longer. If it is recorded, it goes on without you; asked for again, it is the same:',
  );
  console.error(`  pnpm --filter subscription subscription status ${id}`);
  return undefined;
}
