import { CancellationScope, condition, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { ReleaseEnding, ReleaseOutcome, ReleaseRequest, ReleaseState, ReleaseSummary } from '../contract.ts';
import { changeStatus, showStatus } from './steps.ts';
import { summaryInWords } from './summary.ts';

/** A release as it goes on: what it shows, and what it will say of itself in the end. */
export interface Progress {
  state: ReleaseState;
  summary: Omit<ReleaseSummary, 'ended'>;
}

export function begin(request: ReleaseRequest): Progress {
  const { release, requestedBy } = request;
  const environments = request.environments.map((environment) => ({ environment, status: 'pending' as const }));
  const state: ReleaseState = { request, status: 'gathering', environments, problems: [] };
  showStatus(state);
  const began = workflowInfo().startTime.toISOString();
  return { state, summary: { release, requestedBy, deployables: [], environments: [], began } };
}

/** An outcome is known: whoever waits for one is answered. `words` are for the Web UI. */
export function answer(state: ReleaseState, outcome: ReleaseOutcome, words: string): void {
  state.outcome = outcome;
  changeStatus(state, outcome.status);
  setCurrentDetails(words);
}

/** It goes on: what was answered until now holds no longer. */
export function goOn(state: ReleaseState, status: ReleaseState['status']): void {
  delete state.outcome;
  changeStatus(state, status);
}

export function endingOf(
  { state, summary }: Progress,
  { status, reason }: Pick<ReleaseEnding, 'status' | 'reason'>,
): ReleaseEnding {
  const { document } = state;
  const whole = { ...summary, ended: new Date().toISOString() };
  return {
    status,
    release: summary.release,
    ...(reason ? { reason } : {}),
    ...(document ? { document } : {}),
    summary: whole,
    markdown: summaryInWords(status, whole, reason),
  };
}

/** Resolves with the outcome once there is one, also while the workflow itself is being cancelled. */
export function known(state: ReleaseState): Promise<ReleaseOutcome> {
  return CancellationScope.nonCancellable(async () => {
    let outcome: ReleaseOutcome | undefined;
    // Kept at once: by the time this goes on, the release may have gone on too.
    await condition(() => {
      outcome = state.outcome;
      return outcome !== undefined;
    });
    return outcome as unknown as ReleaseOutcome;
  });
}
