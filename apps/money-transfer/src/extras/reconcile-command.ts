import { print, untilStopped } from '@repo/dev-stack/commands';
import { type ReconcileOptions, type Reconciler, runReconcile } from '@repo/reconciler';
import type { Client } from '@temporalio/client';
import { defaultTaskQueue } from '../contract.ts';
import { requireReady, withLedger } from './ledger-at-hand.ts';
import { type Finding, reconcile } from './reconcile.ts';
import { findingInWords } from './transfer-words.ts';

type Options = ReconcileOptions & { dryRun?: boolean };

/** One turn of the reconciler, with exit code 3 if a person has to look at something; its schedule, or the worker for that. */
export const reconcileCommand = (options: Options): Promise<void> =>
  runReconcile({ reconciler, options, more: {}, once: (client, graceMs) => once(client, graceMs, options) });

const reconciler: Reconciler = {
  command: 'pnpm --filter money-transfer transfer reconcile',
  defaultTaskQueue,
  withStores: (use) =>
    withLedger(async (ledger) => {
      await requireReady(ledger);
      return use(async function* (input) {
        for await (const finding of reconcile({ ...input, ledger })) {
          yield { words: findingInWords(finding), needsAttention: finding.action === 'needs attention' };
        }
      });
    }),
};

async function once(client: Client, graceMs: number, { json, dryRun }: Options): Promise<void> {
  const counts: Record<Finding['action'], number> = { 'given back': 0, 'to give back': 0, 'needs attention': 0 };
  let looked = 0;
  const onLooked = (transfers: number) => {
    looked += transfers;
  };
  const turn = () =>
    withLedger(async (ledger) => {
      for await (const finding of reconcile({ client, ledger, graceMs, dryRun, onLooked })) {
        counts[finding.action] += 1;
        print(json, finding, findingInWords);
      }
      return true;
    });
  if (!(await untilStopped(client, turn))) {
    process.exitCode = 130;
    return console.error('Stopped. Run this again for the rest.');
  }
  const done = dryRun ? `${counts['to give back']} to give back` : `${counts['given back']} given back`;
  const rest = `${looked} resting in suspense: ${done}, ${counts['needs attention']} need attention.`;
  if (!json) console.log(rest);
  process.exitCode = counts['needs attention'] > 0 ? 3 : 0;
}
