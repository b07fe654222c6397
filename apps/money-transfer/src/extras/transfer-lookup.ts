import { lookupOf } from '@repo/worker-kit/lookup';
import type { TransferOutcome, TransferRequest, TransferState } from '../contract.ts';
import * as contract from '../contract.ts';

export const { openOrEnded, requestOf, workerCommand, mayBeRecorded } = lookupOf({
  noun: 'transfer',
  workflowId: contract.transferWorkflowId,
  defaultTaskQueue: contract.defaultTaskQueue,
  commands: {
    worker: 'pnpm --filter money-transfer worker',
    list: 'pnpm --filter money-transfer transfer list',
    reconcile: 'pnpm --filter money-transfer transfer reconcile',
    status: (reference) => `pnpm --filter money-transfer transfer status ${reference}`,
  },
  // With its defaults filled in.
  request: (input): TransferRequest => contract.inTheWorkflow.transfer.parse(input),
  ended: (request, outcome: TransferOutcome): TransferState => ({
    request,
    status: outcome.status,
    attempt: 1,
    outcome,
  }),
});
