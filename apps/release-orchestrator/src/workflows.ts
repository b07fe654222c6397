import {
  allHandlersFinished,
  CancellationScope,
  condition,
  executeChild,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { EnvironmentEnding, ReleaseEnding, ReleaseInput, ReleaseRequest } from './contract.ts';
import * as contract from './contract.ts';
import { approval, decide, recall, refuseDecision } from './workflows/approval.ts';
import { runChild } from './workflows/children.ts';
import { endingOfLost, type environment } from './workflows/environment.ts';
import { gather } from './workflows/gathering.ts';
import { problems, refusal, refuseAll } from './workflows/refusal.ts';
import { answer, begin, endingOf, goOn, known, type Progress } from './workflows/release-state.ts';
import { hear, persistently, quick, StepFailed } from './workflows/steps.ts';

export { deploy } from './workflows/deploy.ts';
export { environment } from './workflows/environment.ts';
export { rollback } from './workflows/rollback.ts';

const { failureTypes } = contract;
type Verdict = Pick<ReleaseEnding, 'status' | 'reason'>;

/**
 * Releases deployables to environments: what exactly is gathered, built and written down, then approved, and then nothing but
 * that is brought to one environment after the other, as long as each turns out well.
 *
 * Fails with `InvalidRelease` on bad input; every other ending is a `ReleaseEnding`.
 */
export async function release(input: ReleaseInput): Promise<ReleaseEnding> {
  const request = accept(input);
  const progress = begin(request);
  const { state, summary } = progress;
  const work = new CancellationScope();

  setHandler(contract.stateQuery, () => state);
  setHandler(contract.problemSignal, (told) => hear(state, told));
  setHandler(contract.outcomeUpdate, () => known(state), {
    validator: (other?: ReleaseInput) => refuseOtherDetails(request, other),
  });
  setHandler(contract.approveUpdate, (by) => decide(progress, 'approved', by), {
    validator: (by) => refuseDecision(progress, by),
  });
  setHandler(contract.rejectUpdate, (by) => decide(progress, 'rejected', by), {
    validator: (by) => refuseDecision(progress, by),
  });
  setHandler(contract.cancelSignal, (cancel) => {
    summary.cancelled ??= contract.cancelledBy(cancel, Date.now());
    work.cancel();
  });

  const verdict = await work
    .run(() => promote(progress))
    .catch((error): Verdict => {
      if (error instanceof StepFailed) return { status: 'refused', reason: error.reason };
      // A bug is not a business ending: thrown on, it keeps the release waiting until a worker with the fix goes on with it.
      if (!isCancellation(error)) throw error;
      return { status: 'cancelled' };
    });
  if (verdict.status === 'cancelled') summary.cancelled ??= contract.cancelledBy(undefined, Date.now());
  return CancellationScope.nonCancellable(async () => {
    const at = new Date().toISOString();
    await persistently(state, 'records', `Write down that it is ${verdict.status}`, (options) =>
      quick.endRelease.executeWithOptions(options, [{ release: request.release, status: verdict.status, at }]),
    );
    const ending = endingOf(progress, verdict);
    // Nothing is tried any more, whatever a part that was ended from outside had told.
    state.problems = [];
    answer(state, ending, ending.markdown);
    await condition(allHandlersFinished);
    return ending;
  });
}

/** @throws StepFailed before the approval, if it cannot be released; CancelledFailure */
async function promote(progress: Progress): Promise<Verdict> {
  const { state, summary } = progress;
  const { document, decided } = await gather(progress);
  const decision = decided ? recall(progress, decided) : await approval(progress, document.digest);
  if (decision !== 'approved') return { status: decision };
  goOn(state, 'deploying');
  const { release: name, deployables } = document.json;
  for (const { environment: where, set } of document.json.environments) {
    show(progress, where, 'deploying');
    const began = new Date().toISOString();
    const ran = await runChild(contract.environmentWorkflowId(name, where), (options) =>
      executeChild<typeof environment>('environment', {
        ...options,
        staticSummary: `${name} to ${where}`,
        args: [{ environment: where, release: name, set, deployables }],
      }),
    );
    const ending =
      'ending' in ran
        ? ran.ending
        : await endingOfLost(state, { environment: where, release: name, set, began, reason: ran.reason });
    summary.environments.push(ending);
    show(progress, where, ending.status);
    const { status, reason } = ending;
    if (status !== 'good') return { status, ...(reason ? { reason } : {}) };
  }
  return { status: 'released' };
}

function show({ state }: Progress, where: string, status: EnvironmentEnding['status'] | 'deploying'): void {
  for (const one of state.environments) if (one.environment === where) one.status = status;
}

/** @throws ApplicationFailure `InvalidRelease`, not retryable, that names each field and what is wrong with it. */
function accept(input: ReleaseInput): ReleaseRequest {
  const parsed = contract.inTheWorkflow.release.safeParse(input);
  const refuse = (why: string) => refuseAll(contract.outcomeUpdate, failureTypes.invalidRelease, why);
  if (!parsed.success) throw refuse(problems(parsed.error));
  // Another workflow id with this name would share its generations.
  const expected = contract.releaseWorkflowId(parsed.data.release);
  if (workflowInfo().workflowId !== expected) {
    throw refuse(`release: the workflow id of this release must be ${expected}`);
  }
  return parsed.data;
}

function refuseOtherDetails(request: ReleaseRequest, input: ReleaseInput | undefined): void {
  if (input === undefined) return;
  const other = contract.inTheWorkflow.release.safeParse(input);
  if (!other.success) throw refusal(failureTypes.invalidRelease, problems(other.error));
  const differing = contract.differingFields(request, other.data);
  if (differing.length === 0) return;
  const message = `${differing.join(', ')}: release ${request.release} exists with other details`;
  throw refusal(failureTypes.releaseMismatch, message);
}
