import { condition } from '@temporalio/workflow';
import type { Approval, Decision, ReleaseState } from '../contract.ts';
import * as contract from '../contract.ts';
import { problems, refusal } from './refusal.ts';
import { answer, goOn, type Progress } from './release-state.ts';
import { persistently, quick } from './steps.ts';

const { failureTypes } = contract;

/** Waits until somebody has decided, or it is too late for that. Exactly one of them wins: whatever is recorded first. */
export async function approval({ state, summary }: Progress, document: string): Promise<Approval['decision']> {
  const { release, approvalWithin } = state.request;
  const until = new Date(Date.now() + approvalWithin * 1000).toISOString();
  state.approval = { until, document };
  const words = `Waiting until ${until} for somebody to approve document ${document}`;
  answer(state, { status: 'waiting-for-approval', release, document, until }, words);
  const isDecided = () => state.approval?.decision !== undefined;
  await condition(isDecided, approvalWithin * 1000, { summary: `approval, until ${until}` });
  // Whoever was recorded before this line was in time, and whoever comes after it is told.
  if (!isDecided()) record(state, { decision: 'expired', at: until });
  const decided = state.approval as Approval;
  summary.approval = decided;
  await persistently(state, 'records', `Write down that it is ${decided.decision}`, (options) =>
    quick.decide.executeWithOptions(options, [{ release, approval: decided }]),
  );
  return decided.decision;
}

/** What was decided holds, also after a reset. */
export function recall({ state, summary }: Progress, decided: Approval): Approval['decision'] {
  summary.approval = record(state, decided);
  return decided.decision;
}

/** Records who has decided what. */
export function decide(progress: Progress, decision: 'approved' | 'rejected', input: Decision): Approval {
  refuseDecision(progress, input);
  return record(progress.state, { decision, by: checked(input).by, at: new Date().toISOString() });
}

function record(state: ReleaseState, decided: Pick<Approval, 'decision' | 'by' | 'at'>): Approval {
  state.approval = { until: '', ...state.approval, ...decided };
  goOn(state, decided.decision === 'approved' ? 'deploying' : 'documenting');
  return state.approval as Approval;
}

/** @throws ApplicationFailure `InvalidRelease`, `NotWaitingForApproval` or `DocumentMismatch`, unless this may be decided now */
export function refuseDecision({ state, summary }: Progress, input: Decision): void {
  const { request, status, approval: waiting } = state;
  const { document } = checked(input);
  const { release } = request;
  if (summary.cancelled) throw refusal(failureTypes.notWaiting, `release ${release} was cancelled`);
  // A worker that was away sees the timer and the decision at once: what counts is the time.
  const isOver = waiting && !waiting.decision && Date.now() >= Date.parse(waiting.until);
  if (isOver || waiting?.decision === 'expired') {
    throw refusal(failureTypes.notWaiting, `release ${release} could be decided on until ${waiting.until}`);
  }
  if (!waiting || waiting.decision) {
    const decided = waiting?.by === undefined ? '' : `: ${waiting.by} has ${waiting.decision} it`;
    throw refusal(failureTypes.notWaiting, `release ${release} is ${status} and does not wait for approval${decided}`);
  }
  if (document !== undefined && document !== waiting.document) {
    throw refusal(failureTypes.documentMismatch, `document: that of release ${release} is ${waiting.document}`);
  }
  if (status !== 'waiting-for-approval') {
    throw refusal(failureTypes.notWaiting, `release ${release} is ${status} and does not wait for approval`);
  }
}

function checked(input: Decision): Decision {
  const parsed = contract.inTheWorkflow.decision.safeParse(input);
  if (parsed.success) return parsed.data;
  throw refusal(failureTypes.invalidRelease, problems(parsed.error));
}
