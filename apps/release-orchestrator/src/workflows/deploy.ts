import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { DeployEnding, Environment, StepReport, Version } from '../contract.ts';
import * as contract from '../contract.ts';
import { problems, refusal } from './refusal.ts';
import { changeStatus, long, quick, type Shown, StepFailed, showStatus, step } from './steps.ts';

export interface DeployInput {
  environment: Environment;
  deployable: string;
  version: Version;
  /** What it can be built from again; a rollback has none. */
  from?: { source: string; sourceDigest: string } | undefined;
}

/**
 * Brings one deployable to one environment, beside what is served there: nobody sees it before the environment is switched.
 * Each step looks before it acts, so what is there already is not brought again.
 * Fails with `InvalidRelease` if it is started by hand.
 */
export async function deploy(input: DeployInput): Promise<DeployEnding> {
  const { environment, deployable, version, from } = accept(input);
  const { artifact, config } = version;
  const where = `${environment}/${deployable}`;
  const shown: Shown = { status: 'staging', problems: [] };
  const steps: StepReport[] = [];
  const about = (name: StepReport['step'], words: string) => ({ name, where, words: `${words} for ${where}` });
  showStatus(shown);
  try {
    await step(shown, steps, about('find-build', `Find build ${short(artifact)}`), (options) =>
      long.findBuild.executeWithOptions(options, [{ environment, artifact, from }]),
    );
    await step(shown, steps, about('gather-artifact', `Gather artifact ${short(artifact)}`), (options) =>
      quick.gatherArtifact.executeWithOptions(options, [{ environment, artifact }]),
    );
    await step(shown, steps, about('gather-config', `Gather config ${short(config)}`), (options) =>
      quick.gatherConfigOf.executeWithOptions(options, [{ environment, config }]),
    );
    await step(shown, steps, about('deploy-artifact', `Deploy artifact ${short(artifact)}`), (options) =>
      long.deployArtifact.executeWithOptions(options, [{ environment, artifact }]),
    );
    await step(shown, steps, about('update-config', `Update config ${short(config)}`), (options) =>
      quick.updateConfig.executeWithOptions(options, [{ environment, config }]),
    );
    await step(shown, steps, about('verify-installed', 'Verify what is installed'), (options) =>
      quick.verifyInstalled.executeWithOptions(options, [{ environment, version }]),
    );
    changeStatus(shown, 'staged');
    return { status: 'staged', deployable, version, steps };
  } catch (error) {
    // A bug is not a business ending: thrown on, it keeps the release waiting until a worker with the fix goes on with it.
    if (!isCancellation(error) && !(error instanceof StepFailed)) throw error;
    const status = error instanceof StepFailed ? 'failed' : 'cancelled';
    changeStatus(shown, status);
    const reason = error instanceof StepFailed ? { reason: error.reason } : {};
    return { status, deployable, version, steps, ...reason };
  }
}

/** @throws ApplicationFailure `InvalidRelease` */
function accept(input: DeployInput): DeployInput {
  const { success, data, error } = contract.inTheWorkflow.deploy.safeParse(input);
  if (!success) throw refusal(contract.failureTypes.invalidRelease, problems(error));
  const { workflowId, parent } = workflowInfo();
  if (parent && workflowId === contract.deployWorkflowId(parent.workflowId, data.deployable)) return data;
  throw refusal(contract.failureTypes.invalidRelease, 'deployable: only a release or a rollback brings it anywhere');
}

/** As people recognise a digest. */
const short = (digest: string): string => digest.slice(0, 12);
