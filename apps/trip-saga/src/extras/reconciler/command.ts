import { type Found, type ReconcileOptions, type Reconciler, runReconcile } from '@repo/reconciler';
import { OperatorError } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { defaultTaskQueue } from '../../contract.ts';
import { ServiceError } from '../../services.ts';
import { reconciliationInWords } from '../trip-words.ts';
import { type Reconciliation, reconcile } from './reconcile.ts';
import { withServices } from './services-at-hand.ts';

type Options = ReconcileOptions & { dryRun?: boolean };

/** `trip reconcile`: one turn, with exit code 3 if a person has to look at something; the schedule of it, or the worker for that. */
export function reconcileCommand(options: Options): Promise<void> {
  return runReconcile({
    reconciler,
    options,
    more: {},
    once: (client, graceMs) => once(client, graceMs, options),
  });
}

const reconciler: Reconciler = {
  command: 'pnpm --filter trip-saga trip reconcile',
  defaultTaskQueue,
  withStores: (use) =>
    withServices((urls) =>
      use(async function* ({ client, graceMs, onLooked }) {
        const result = await reconcile({ client, urls, graceMs, now: Date.now() });
        onLooked(result.looked);
        yield* findings(result);
      }),
    ),
};

function findings({ undone, attention }: Reconciliation): Found[] {
  return [
    ...undone.map((one) => ({ words: `${one.tripId}: undone in ${one.services.join(', ')}`, needsAttention: false })),
    ...attention.map(({ tripId, why }) => ({ words: `${tripId}: ${why}`, needsAttention: true })),
  ];
}

async function once(client: Client, graceMs: number, { dryRun = false, json }: Options): Promise<void> {
  const result = await withServices((urls) => reconcile({ client, urls, now: Date.now(), graceMs, dryRun })).catch(
    (error: unknown) => {
      if (!(error instanceof ServiceError)) throw error;
      const nextStep = 'Start it, or say where it is with FLIGHT_URL, HOTEL_URL and CAB_URL; then run this again.';
      throw new OperatorError(`Nothing was looked at: ${error.message}.`, nextStep, { cause: error });
    },
  );
  console.log(json ? JSON.stringify(result) : reconciliationInWords(result, dryRun));
  process.exitCode = result.attention.length > 0 ? 3 : 0;
}
