import { lookupOf } from '@repo/worker-kit/lookup';
import type { ReleaseOutcome, ReleaseRequest, ReleaseState } from '../contract.ts';
import * as contract from '../contract.ts';

const command = 'pnpm --filter release-orchestrator release';

export const { openOrEnded, workerCommand, mayBeRecorded } = lookupOf({
  noun: 'release',
  workflowId: contract.releaseWorkflowId,
  defaultTaskQueue: contract.defaultTaskQueue,
  commands: {
    worker: 'pnpm --filter release-orchestrator worker',
    list: `${command} list`,
    reconcile: `${command} reconcile`,
    status: (release) => `${command} status ${release}`,
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
