import { taskQueue } from '@repo/worker-kit';
import { commandOn, lookupOf } from '@repo/worker-kit/lookup';
import type { ReleaseOutcome, ReleaseRequest, ReleaseState } from '../contract.ts';
import * as contract from '../contract.ts';

/** A command as it is to be typed to reach the same: with the task queue at hand, unless it is the default one. */
export const command = (words: string): string =>
  commandOn(words, contract.defaultTaskQueue)(taskQueue(contract.defaultTaskQueue));

export const { openOrEnded, workerCommand, mayBeRecorded } = lookupOf({
  noun: 'release',
  workflowId: contract.releaseWorkflowId,
  defaultTaskQueue: contract.defaultTaskQueue,
  commands: {
    worker: 'pnpm --filter release-orchestrator worker',
    // Only known when they are printed.
    get list() {
      return command('pnpm --filter release-orchestrator release list');
    },
    get reconcile() {
      return command('pnpm --filter release-orchestrator release reconcile');
    },
    status: (release) => command(`pnpm --filter release-orchestrator release status ${release}`),
  },
  request: (input): ReleaseRequest => contract.inTheWorkflow.release.parse(input),
  ended: (request, outcome: ReleaseOutcome): ReleaseState => {
    const state: ReleaseState = { request, status: outcome.status, environments: [], problems: [], outcome };
    const reached = 'summary' in outcome ? outcome.summary.environments : [];
    for (const environment of request.environments) {
      const status = reached.find((one) => one.environment === environment)?.status ?? 'pending';
      state.environments.push({ environment, status });
    }
    if ('summary' in outcome) {
      if (outcome.document) state.document = outcome.document;
      if (outcome.summary.approval) state.approval = { ...outcome.summary.approval };
    }
    return state;
  },
});
