import { hinting, print, untilStopped } from '@repo/dev-stack/commands';
import { type ReconcileOptions, type Reconciler, runReconcile } from '@repo/reconciler';
import { parseInput, taskQueue } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { atTheDoor, defaultTaskQueue } from '../contract.ts';
import { requireReady, withRecords } from './local-stores.ts';
import { findingInWords } from './post-words.ts';
import { workerCommand } from './posts.ts';
import { type Finding, reconcile } from './reconcile.ts';

interface Scope {
  /** Only posts whose ids begin so. */
  prefix?: string;
}

type Options = ReconcileOptions & Scope & { dryRun?: boolean };

/** One turn of the reconciler, with exit code 3 if a person has to look at something; its schedule, or the worker for that. */
export function reconcileCommand(options: Options): Promise<void> {
  const { prefix } = options;
  if (prefix !== undefined) parseInput(z.object({ prefix: atTheDoor.list.shape.user }), { prefix });
  const more: Scope = prefix === undefined ? {} : { prefix };
  return runReconcile({ reconciler, options, more, once: (client, graceMs) => once(client, graceMs, options) });
}

/** Nobody watches a turn of the schedule: it does not wait for ever until somebody starts a worker. */
const workerWithinMs = 60_000;

const reconciler: Reconciler<Scope> = {
  command: 'pnpm --filter spicedb-writes post reconcile',
  defaultTaskQueue,
  withStores: (use) =>
    withRecords(async (services, records) => {
      await requireReady(services);
      const { permissions } = services;
      return use(async function* (input) {
        for await (const finding of reconcile({ ...input, permissions, records, workerWithinMs })) {
          yield { words: findingInWords(finding), needsAttention: finding.action === 'needs attention' };
        }
      });
    }),
};

async function once(client: Client, graceMs: number, { dryRun, prefix, json }: Options): Promise<void> {
  const counts: Record<Finding['action'], number> = { mended: 0, 'to mend': 0, 'needs attention': 0 };
  let looked = 0;
  const onLooked = (posts: number) => {
    looked += posts;
  };
  const turn = () =>
    withRecords(async ({ permissions }, records) => {
      for await (const finding of reconcile({ client, permissions, records, graceMs, dryRun, prefix, onLooked })) {
        counts[finding.action] += 1;
        print(json, finding, findingInWords);
      }
      return true;
    });
  const queue = taskQueue(defaultTaskQueue);
  const hint = `What is to mend needs a worker. If nobody serves task queue ${queue}: ${workerCommand(queue)}`;
  if (!(await untilStopped(client, () => (dryRun ? turn() : hinting(turn(), hint))))) {
    process.exitCode = 130;
    return console.error('Stopped. What was begun goes on; run this again for the rest.');
  }
  const done = dryRun ? `${counts['to mend']} to mend` : `${counts.mended} mended`;
  if (!json) console.log(`${looked} posts looked at: ${done}, ${counts['needs attention']} need attention.`);
  process.exitCode = counts['needs attention'] > 0 ? 3 : 0;
}
