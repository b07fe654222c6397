import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  executeChild,
  isCancellation,
  patched,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  DeployEnding,
  Environment,
  EnvironmentEnding,
  EnvironmentState,
  Reason,
  ReleaseDocument,
  StepReport,
  VersionSet,
} from '../contract.ts';
import * as contract from '../contract.ts';
import { runChild } from './children.ts';
import type { deploy } from './deploy.ts';
import { problems as problemsIn, refusal } from './refusal.ts';
import { changeStatus, hear, quick, type Shown, StepFailed, showStatus, step } from './steps.ts';

const { failureTypes } = contract;

export interface EnvironmentInput {
  environment: Environment;
  release: string;
  set: VersionSet;
  /** What the deployables can be built from again. */
  deployables: ReleaseDocument['deployables'];
}

/**
 * One environment's part of a release: everything is brought there, and then switched at once. Only the release itself can
 * start it: it fails with `InvalidRelease` if it is started by hand.
 */
export async function environment(told: EnvironmentInput): Promise<EnvironmentEnding> {
  const input = accept(told);
  const state: EnvironmentState = { environment: input.environment, status: 'staging', problems: [] };
  showStatus(state);
  const ending = await bringUp(state, { ...input, others: 'keep' });
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  return ending;
}

export type BringUp = EnvironmentInput & { others: 'keep' | 'remove' };

/** Something uploaded may be thrown away before it is switched to: it is uploaded again, so many times. */
const rounds = 3;
/** Milliseconds before each further look at an environment that says that it is ill. */
const patience = [500, 1_000, 2_000, 3_000, 3_000, 3_000, 3_000];

/**
 * Brings a set to an environment, switches to it, and asks over HTTP what is really served. Of every ending but `good`, the
 * environment serves what was good before, or what somebody newer gave it. Also when it is cancelled.
 */
export async function bringUp(state: EnvironmentState, input: BringUp): Promise<EnvironmentEnding> {
  const { environment: where, set } = input;
  setHandler(contract.environmentStateQuery, () => state);
  setHandler(contract.problemSignal, (told) => hear(state, told));
  const part: Part = { environment: where, deploys: [], steps: [] };
  const progress = { isClaimed: false };
  const began = now();
  let ending: Pick<EnvironmentEnding, 'status' | 'reason' | 'isRolledBack' | 'set'>;
  try {
    ending = { status: 'good', set: await switchTo(state, input, part, progress) };
  } catch (error) {
    // A bug is not a business ending: thrown on, it keeps the release waiting until a worker with the fix goes on with it.
    if (!isCancellation(error) && !(error instanceof StepFailed)) throw error;
    const reason = error instanceof StepFailed ? error.reason : undefined;
    const operation = workflowInfo().workflowId;
    const back = () => rollBack(state, part.steps, { environment: where, operation });
    if (progress.isClaimed) changeStatus(state, 'rolling-back');
    const rolledBack = progress.isClaimed ? await CancellationScope.nonCancellable(back) : undefined;
    ending = { ...verdict(where, rolledBack, reason), set };
  }
  state.problems = [];
  changeStatus(state, ending.status);
  const { generation } = state;
  return { ...part, ...ending, ...(generation === undefined ? {} : { generation }), began, ended: now() };
}

type Part = Pick<EnvironmentEnding, 'environment' | 'deploys' | 'steps'>;

async function switchTo(
  state: EnvironmentState,
  input: BringUp,
  { deploys, steps }: Part,
  progress: { isClaimed: boolean },
): Promise<VersionSet> {
  const { environment: where, release, set, others } = input;
  const operation = workflowInfo().workflowId;
  for (let round = 1; ; round++) {
    try {
      changeStatus(state, 'staging');
      deploys.splice(0, deploys.length, ...(await stage(input)));
      refuseUnlessStaged(deploys);
      changeStatus(state, 'activating');
      // Before it is asked for: a call that failed may have got one.
      progress.isClaimed = true;
      const asked = { operation, environment: where, release, set, at: now() };
      const claim = { name: 'claim', where, words: `Claim a generation of ${where}` } as const;
      const { generation } = await step(state, steps, claim, (options) =>
        quick.claim.executeWithOptions(options, [asked]),
      );
      state.generation = generation;
      const words = `Activate ${release} on ${where} as generation ${generation}`;
      const whole = await step(state, steps, { name: 'activate', where, words }, (options) =>
        quick.activate.executeWithOptions(options, [
          { operation, environment: where, generation, release, set, others },
        ]),
      );
      changeStatus(state, 'verifying');
      await verify(state, steps, set, generation);
      const good = { name: 'mark-good', where, words: `Mark generation ${generation} of ${where} as good` } as const;
      const found = { environment: where, generation, set: whole.set, at: now() };
      await step(state, steps, good, (options) => quick.markGood.executeWithOptions(options, [found]));
      return whole.set;
    } catch (error) {
      const isMissing = error instanceof StepFailed && error.reason.type === failureTypes.missingParts;
      if (!isMissing || round === rounds) throw error;
    }
  }
}

/** All deployables in parallel; each comes to its own end, whatever becomes of the others. */
async function stage({ environment: where, set, deployables }: BringUp): Promise<DeployEnding[]> {
  const parent = workflowInfo().workflowId;
  const deploys = Object.entries(set).map(async ([deployable, version]): Promise<DeployEnding> => {
    const from = deployables.find(({ name }) => name === deployable);
    const ran = await runChild(contract.deployWorkflowId(parent, deployable), (options) =>
      executeChild<typeof deploy>('deploy', {
        ...options,
        staticSummary: `${deployable} ${version.artifact.slice(0, 12)} to ${where}`,
        args: [{ environment: where, deployable, version, from }],
      }),
    );
    return 'ending' in ran ? ran.ending : { status: 'failed', deployable, version, steps: [], reason: ran.reason };
  });
  await Promise.allSettled(deploys);
  return Promise.all(deploys);
}

function refuseUnlessStaged(deploys: DeployEnding[]): void {
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled while staging');
  // What can be mended by an upload is no reason to give up, unless there is another one.
  const failed = deploys.flatMap((one) => (one.status === 'failed' && one.reason ? [one.reason] : []));
  const reason = failed.find(({ type }) => type !== failureTypes.missingParts) ?? failed[0];
  if (reason) throw new StepFailed(reason);
  const cancelled = deploys.find(({ status }) => status === 'cancelled');
  if (!cancelled) return;
  const message = `the deploy of ${cancelled.deployable} was cancelled`;
  throw new StepFailed({ type: failureTypes.endedFromOutside, message });
}

/** No answer is not an answer, and is waited for. To be ill may pass, and is waited for a while. */
async function verify(
  state: EnvironmentState,
  steps: StepReport[],
  set: VersionSet,
  generation: number,
): Promise<void> {
  const { environment: where } = state;
  const began = Date.now();
  const report: StepReport[] = [];
  for (const [look, pause] of [0, ...patience].entries()) {
    if (pause > 0) await sleep(pause, { summary: `${where} is ill: look again` });
    const about = { name: 'verify', where, words: `Verify what ${where} serves` } as const;
    const { verdict, problems } = await step(state, report, about, (options) =>
      quick.verify.executeWithOptions(options, [{ environment: where, generation, set }]),
    );
    if (verdict === 'superseded') {
      throw new StepFailed({ type: failureTypes.superseded, message: `${where} has a newer generation by now` });
    }
    const isOver = verdict === 'well' || look === patience.length;
    if (!isOver) continue;
    const attempts = report.reduce((sum, one) => sum + one.attempts, 0);
    steps.push({ step: 'verify', attempts, milliseconds: Date.now() - began });
    if (verdict === 'well') return;
    throw new StepFailed({ type: failureTypes.verification, message: `${where}: ${problems.join('; ')}` });
  }
}

/**
 * What became of an environment whose own workflow was ended from outside, and so tells nobody: it is good, or it goes back to
 * what was good before. Also while the release is being cancelled.
 * @param lost what was asked for, and why there is no word of it
 */
export async function endingOfLost(
  shown: Shown,
  { release, ...lost }: Pick<EnvironmentEnding, 'environment' | 'set' | 'began'> & { release: string; reason: Reason },
): Promise<EnvironmentEnding> {
  const { environment, set, began, reason } = lost;
  const steps: StepReport[] = [];
  const operation = contract.environmentWorkflowId(release, environment);
  const back = () => rollBack(shown, steps, { environment, operation });
  const rolledBack = patched('lost-environment') ? await CancellationScope.nonCancellable(back) : undefined;
  const { generation } = rolledBack ?? {};
  const part = { environment, deploys: [], steps, set, ...(generation === undefined ? {} : { generation }) };
  return { ...part, ...verdict(environment, rolledBack, reason), began, ended: now() };
}

async function rollBack(
  shown: Shown,
  steps: StepReport[],
  { environment: where, operation }: { environment: Environment; operation: string },
) {
  const about = { name: 'roll-back', where, words: `Roll back ${where} to what was good before` } as const;
  const asked = { operation, environment: where, at: now() };
  return step(shown, steps, about, (options) => quick.rollBack.executeWithOptions(options, [asked]));
}

/** @param reason why it did not go on; undefined if it was cancelled */
function verdict(
  where: Environment,
  rolledBack: Awaited<ReturnType<typeof rollBack>> | undefined,
  reason: Reason | undefined,
): Pick<EnvironmentEnding, 'status' | 'reason' | 'isRolledBack'> {
  // It had been found good before the cancellation arrived, or before that was known here.
  if (rolledBack?.status === 'good') return { status: 'good' };
  const isRolledBack = rolledBack?.status === 'rolled-back';
  if (rolledBack?.status === 'superseded' || reason?.type === failureTypes.superseded) {
    const newer = { type: failureTypes.superseded, message: `${where} has a newer generation by now` };
    return { status: 'superseded', isRolledBack, reason: reason ?? newer };
  }
  return reason ? { status: 'failed', isRolledBack, reason } : { status: 'cancelled', isRolledBack };
}

/** @throws ApplicationFailure `InvalidRelease` */
function accept(told: EnvironmentInput): EnvironmentInput {
  const { success, data, error } = contract.inTheWorkflow.environment.safeParse(told);
  if (!success) throw refusal(failureTypes.invalidRelease, problemsIn(error));
  const { workflowId, parent } = workflowInfo();
  const isPart =
    parent?.workflowId === contract.releaseWorkflowId(data.release) &&
    workflowId === contract.environmentWorkflowId(data.release, data.environment);
  if (isPart) return data;
  throw refusal(failureTypes.invalidRelease, 'release: only the release itself brings itself to an environment');
}

/** Business time is the workflow's. */
const now = () => new Date().toISOString();
