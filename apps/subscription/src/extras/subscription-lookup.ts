import { lookupOf } from '@repo/worker-kit/lookup';
import type { SubscriptionOutcome, SubscriptionRequest, SubscriptionState } from '../contract.ts';
import * as contract from '../contract.ts';

export const { openOrEnded, requestOf, workerCommand, mayBeRecorded } = lookupOf({
  noun: 'subscription',
  workflowId: contract.subscriptionWorkflowId,
  defaultTaskQueue: contract.defaultTaskQueue,
  commands: {
    worker: 'pnpm --filter subscription worker',
    list: 'pnpm --filter subscription subscription list',
    reconcile: 'pnpm --filter subscription subscription reconcile',
    status: (id) => `pnpm --filter subscription subscription status ${id}`,
  },
  // With its defaults filled in.
  request: (input): SubscriptionRequest => contract.inTheWorkflow.subscription.parse(input),
  // The workflow ends with its own state.
  ended: (_request: SubscriptionRequest, outcome: SubscriptionOutcome): SubscriptionState => outcome,
});
