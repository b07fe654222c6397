import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { EnvironmentState, RollbackEnding, RollbackRequest } from '../contract.ts';
import * as contract from '../contract.ts';
import { bringUp } from './environment.ts';
import { problems, refusal, refuseAll } from './refusal.ts';
import { changeStatus, persistently, quick, StepFailed, showStatus } from './steps.ts';

const { failureTypes } = contract;

/**
 * Brings an environment back to a set that was good there, as a switch of its own with a generation of its own: what is served
 * now stays if that does not turn out well. Releases that began before do not get in any more.
 *
 * Fails with `InvalidRelease` on bad input; every other ending is a `RollbackEnding`.
 */
export async function rollback(input: RollbackRequest): Promise<RollbackEnding> {
  const request = accept(input);
  const { environment, to, requestedBy } = request;
  const state: EnvironmentState = { environment, status: 'staging', problems: [] };
  let ending: RollbackEnding | undefined;
  showStatus(state);
  setHandler(contract.environmentStateQuery, () => state);
  setHandler(
    contract.rollbackUpdate,
    () =>
      CancellationScope.nonCancellable(async () => {
        await condition(() => ending !== undefined);
        return ending as RollbackEnding;
      }),
    { validator: (other?: RollbackRequest) => refuseOtherDetails(request, other) },
  );
  const began = new Date().toISOString();
  try {
    const operation = workflowInfo().workflowId;
    const words = `Find what ${environment} goes back to`;
    const plan = await persistently(state, environment, words, (options) =>
      quick.planRollback.executeWithOptions(options, [{ operation, environment, to, requestedBy }]),
    );
    const { generation, release, set } = plan;
    const asked = { environment, release, set, deployables: [] };
    ending = { ...(await bringUp(state, { ...asked, others: 'remove' })), to: generation, release };
  } catch (error) {
    if (!isCancellation(error) && !(error instanceof StepFailed)) throw error;
    const nothing = { environment, set: {}, deploys: [], steps: [], began, ended: new Date().toISOString() };
    ending =
      error instanceof StepFailed
        ? { status: 'refused', reason: error.reason, ...nothing }
        : { status: 'cancelled', ...nothing };
    changeStatus(state, ending.status);
  }
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  return ending;
}

function accept(input: RollbackRequest): RollbackRequest {
  const parsed = contract.inTheWorkflow.rollback.safeParse(input);
  const expected = parsed.success ? contract.rollbackWorkflowId(parsed.data) : '';
  if (parsed.success && workflowInfo().workflowId === expected) return parsed.data;
  const wrong = parsed.success ? `id: the workflow id of this rollback must be ${expected}` : problems(parsed.error);
  throw refuseAll(contract.rollbackUpdate, failureTypes.invalidRelease, wrong);
}

function refuseOtherDetails(request: RollbackRequest, input: RollbackRequest | undefined): void {
  if (input === undefined) return;
  const other = contract.inTheWorkflow.rollback.safeParse(input);
  if (!other.success) throw refusal(failureTypes.invalidRelease, problems(other.error));
  const differing = contract.differingFields(request, other.data);
  if (differing.length === 0) return;
  const message = `${differing.join(', ')}: rollback ${request.id} of ${request.environment} exists with other details`;
  throw refusal(failureTypes.releaseMismatch, message);
}
