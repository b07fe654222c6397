import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { hinting, print, untilStopped, withClient } from '@repo/dev-stack/commands';
import { type ReconcileOptions, type Reconciler, runReconcile } from '@repo/reconciler';
import { OperatorError, parseInput, taskQueue } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import * as contract from '../contract.ts';
import type { EnvironmentHost } from '../services.ts';
import * as words from './environment-words.ts';
import { environmentsAtHand } from './environments-at-hand.ts';
import { type Finding, reconcile } from './reconcile.ts';
import { requireReady, withRecords } from './records-at-hand.ts';
import { workerCommand } from './release-lookup.ts';
import { rollbackInWords } from './release-words.ts';
import * as releases from './releases.ts';

/** What the commands of environments do. Each sets the exit code that its `--help` tells of. */

const stopped = 130;
const forAPerson = 3;

type Options = { json?: boolean; [option: string]: unknown };

const known = z.enum(contract.environments, `must be one of ${contract.environments.join(', ')}`);
const environmentDoor = z.strictObject({ environment: known.optional() });

/** Brings an environment back; exit code 1 if it could not be. */
export function rollbackCommand({ json, env, to, id, by = userInfo().username }: Options): Promise<void> {
  const generation = typeof to === 'string' && /^\d{1,15}$/.test(to) ? Number(to) : to;
  const request = parseInput(contract.atTheDoor.rollback, {
    id: id ?? randomUUID().slice(0, 8),
    environment: env,
    ...(to !== undefined && { to: generation }),
    requestedBy: by,
  });
  const queue = taskQueue(contract.defaultTaskQueue);
  const hint = `Waiting. If nobody serves task queue ${queue}, start a worker: ${workerCommand(queue)}`;
  return withClient(async (client) => {
    const ending = await untilStopped(client, () =>
      hinting(releases.rollback(client, request, userInfo().username), hint),
    );
    if (ending === undefined) {
      process.exitCode = stopped;
      return console.error(
        `Not waited for any longer. It may be recorded; sent again with --id ${request.id}, it is the same one.`,
      );
    }
    if (ending.status === 'good' || json) print(json, ending, rollbackInWords);
    else console.error(rollbackInWords(ending));
    if (ending.status !== 'good') process.exitCode = 1;
  });
}

/** Asks the hosts themselves; exit code 3 if one does not serve what it was told to, 1 if one does not answer. */
export async function showCommand(environment: string | undefined, { json }: Options): Promise<void> {
  const asked = parseInput(environmentDoor, environment === undefined ? {} : { environment });
  const environments = await environmentsAtHand();
  const names = asked.environment ? [asked.environment] : contract.environments.filter(isIn(environments.names));
  if (asked.environment && !environments.names.includes(asked.environment)) {
    throw new OperatorError(`There is no host for ${asked.environment} here.`, 'Say with ENVIRONMENTS where it is.');
  }
  for (const shown of await Promise.all(names.map((name) => look(environments.of(name))))) {
    print(json, shown, words.environmentInWords);
    if ('noAnswer' in shown) process.exitCode ??= 1;
    else if (shown.served.some(words.isWrong)) process.exitCode = forAPerson;
  }
}

const isIn = (names: readonly string[]) => (one: string) => names.includes(one);

async function look(host: EnvironmentHost): Promise<words.Shown> {
  const signal = AbortSignal.timeout(10_000);
  try {
    const state = await host.state(signal);
    const one = async ([deployable, told]: [string, contract.Version]) => {
      return { deployable, url: `${host.url}/${deployable}/`, told, ...(await host.served(deployable, signal)) };
    };
    return { ...state, url: host.url, served: await Promise.all(Object.entries(state.set).map(one)) };
  } catch (error) {
    return { environment: host.name, url: host.url, noAnswer: (error as Error).message };
  }
}

const historyDoor = z.strictObject({
  environment: known.optional(),
  limit: releases.listQuery.shape.limit,
});

/** What was deployed where, the newest first. */
export function historyCommand({ json, env, limit }: Options): Promise<void> {
  const fields = { ...(env !== undefined && { environment: env }), ...(limit !== undefined && { limit }) };
  const query = parseInput(historyDoor, fields);
  return withRecords(async (records) => {
    const found = await records.deployments(query);
    if (!json && found.length === 0) console.log('Nothing was deployed yet.');
    for (const one of found) print(json, one, words.historyLine);
  });
}

type ReconcileNow = ReconcileOptions & { dryRun?: boolean };

/** One turn of the reconciler, with exit code 3 if a person has to look at something; its schedule, or the worker for that. */
export const reconcileCommand = (options: ReconcileNow): Promise<void> =>
  runReconcile({ reconciler, options, more: {}, once: (client, graceMs) => once(client, graceMs, options) });

const reconciler: Reconciler = {
  command: 'pnpm --filter release-orchestrator release reconcile',
  defaultTaskQueue: contract.defaultTaskQueue,
  withStores: (use) =>
    withRecords(async (records) => {
      await Promise.all([requireReady(records), environmentsAtHand()]);
      return use(async function* (input) {
        // Anew for each turn: they may have been started again, at other addresses.
        const environments = await environmentsAtHand();
        for await (const finding of reconcile({ ...input, records, environments })) {
          yield { words: words.findingInWords(finding), needsAttention: finding.action === 'needs attention' };
        }
      });
    }),
};

async function once(client: Client, graceMs: number, { json, dryRun }: ReconcileNow): Promise<void> {
  const counts: Partial<Record<Finding['action'], number>> = {};
  let looked = 0;
  const onLooked = (deployments: number) => {
    looked += deployments;
  };
  const turn = async () => {
    const environments = await environmentsAtHand();
    return withRecords(async (records) => {
      for await (const one of reconcile({ client, records, environments, graceMs, dryRun, onLooked })) {
        counts[one.action] = (counts[one.action] ?? 0) + 1;
        print(json, one, words.findingInWords);
      }
      return true;
    });
  };
  if (!(await untilStopped(client, turn))) {
    process.exitCode = stopped;
    return console.error('Stopped. Run this again for the rest.');
  }
  const count = (action: Finding['action']) => counts[action] ?? 0;
  const done = dryRun
    ? `${count('to roll back')} to roll back, ${count('to record')} to record`
    : `${count('rolled back')} rolled back, ${count('recorded')} recorded`;
  if (!json) console.log(`${looked} left in the middle: ${done}, ${count('needs attention')} need attention.`);
  process.exitCode = count('needs attention') > 0 ? forAPerson : 0;
}
