import { print, untilStopped } from '@repo/dev-stack/commands';
import { type ReconcileOptions, type Reconciler, runReconcile } from '@repo/reconciler';
import type { Client } from '@temporalio/client';
import { defaultTaskQueue, subscriptionWorkflowId } from '../contract.ts';
import { requireReady, withDatabases } from './databases-at-hand.ts';
import { type Finding, reconcile } from './reconcile.ts';
import { requestOf } from './subscription-lookup.ts';

const command = 'pnpm --filter subscription subscription';

/** One turn of the reconciler, with exit code 3 if a person has to look at something; its schedule, or the worker for that. */
export const reconcileCommand = (options: ReconcileOptions): Promise<void> =>
  runReconcile({ reconciler, options, more: {}, once: (client, graceMs) => once(client, graceMs, options) });

const reconciler: Reconciler = {
  command: `${command} reconcile`,
  defaultTaskQueue,
  withStores: (use) =>
    withDatabases(async (databases) => {
      await requireReady(databases);
      const { ledger, merchant } = databases;
      return use(async function* (input) {
        for await (const finding of reconcile({ ...input, ledger, merchant })) {
          const words = findingInWords(finding, await nextStep(input.client, finding));
          yield { words, needsAttention: true };
        }
      });
    }),
};

async function once(client: Client, graceMs: number, { json }: ReconcileOptions): Promise<void> {
  let [looked, attention] = [0, 0];
  const onLooked = (subscriptions: number) => {
    looked = subscriptions;
  };
  const turn = () =>
    withDatabases(async ({ ledger, merchant }) => {
      for await (const finding of reconcile({ client, ledger, merchant, graceMs, onLooked })) {
        attention += 1;
        const next = await nextStep(client, finding);
        print(json, { ...finding, ...(next && { next }) }, () => findingInWords(finding, next));
      }
      return true;
    });
  if (!(await untilStopped(client, turn))) {
    process.exitCode = 130;
    return console.error('Stopped. Nothing was changed.');
  }
  if (!json) console.log(`${looked} subscriptions: ${attention} need attention.`);
  process.exitCode = attention > 0 ? 3 : 0;
}

export function findingInWords(finding: Finding, next: string | undefined): string {
  if (finding.problem === 'books') return `The books do not agree: ${finding.why}`;
  const what = `${finding.subscriptionId} needs attention: ${finding.why}`;
  return next ? `${what}\n  → ${next}` : what;
}

/** The command with which a person goes on. */
export async function nextStep(client: Client, finding: Finding): Promise<string | undefined> {
  if (finding.problem === 'books' || finding.problem === 'unknown') return undefined;
  const { subscriptionId, problem } = finding;
  if (problem !== 'ended-from-outside') return `${command} status ${subscriptionId}`;
  // Terminated before anybody could say what is wrong with it: it stands for nothing.
  const request = await requestOf(client, subscriptionWorkflowId(subscriptionId)).catch(() => undefined);
  if (!request) return undefined;
  const { customer, plan } = request;
  const [what, file] =
    typeof plan === 'string'
      ? [`--plan ${plan}`, '']
      : ['--plan-file plan.json', `, where plan.json has ${JSON.stringify(plan)}`];
  return `If ${customer} is to stay: ${command} subscribe --customer ${customer} ${what} --id ${subscriptionId}-2${file}`;
}
