import { condition } from '@temporalio/workflow';
import { type Decision, failureTypes, inTheWorkflow, inWords, isSamePerson, type TransferState } from '../contract.ts';
import { problems, refusal } from './refusal.ts';
import { answer, goOn } from './transfer-state.ts';

/**
 * Waits until somebody has decided, or it is too late for that. Exactly one of them wins: whatever is recorded first.
 * @returns what was decided
 */
export async function approval(state: TransferState): Promise<NonNullable<TransferState['approval']>> {
  const { reference, from, approvalWithin } = state.request;
  const until = new Date(Date.now() + approvalWithin * 1000).toISOString();
  const waiting: NonNullable<TransferState['approval']> = { until };
  state.approval = waiting;
  const words = `${inWords(state.request)} from ${from} rests in suspense; waiting until ${until} for somebody to approve`;
  answer(state, { status: 'waiting-for-approval', reference, until }, words);
  const summary = `approval, until ${until}`;
  await condition(() => waiting.decision !== undefined, approvalWithin * 1000, { summary });
  // Whoever was recorded before this line was in time, and whoever comes after it is told.
  waiting.decision ??= 'expired';
  goOn(state, waiting.decision === 'approved' ? 'transferring' : 'giving-back');
  return waiting;
}

/** Records who has decided what. @throws ApplicationFailure if somebody else was faster */
export function decide(state: TransferState, decision: 'approved' | 'rejected', input: Decision): void {
  refuseDecision(state, input);
  Object.assign(state.approval ?? {}, { decision, by: person(input) });
  goOn(state, decision === 'approved' ? 'transferring' : 'giving-back');
}

/** @throws ApplicationFailure `InvalidTransfer`, `NotWaitingForApproval` or `OwnTransfer`, unless this person may decide now */
export function refuseDecision({ request, status, approval }: TransferState, input: Decision): void {
  const by = person(input);
  const { reference, requestedBy } = request;
  // A worker that was away sees the timer and the decision at once: what counts is the time.
  const isOver = approval && !approval.decision && Date.now() >= Date.parse(approval.until);
  if (isOver || approval?.decision === 'expired') {
    throw refusal(failureTypes.notWaiting, `transfer ${reference} could be decided on until ${approval.until}`);
  }
  if (!approval || approval.decision || status !== 'waiting-for-approval') {
    const decided = approval?.by === undefined ? '' : `: ${approval.by} has ${approval.decision} it`;
    throw refusal(failureTypes.notWaiting, `transfer ${reference} does not wait for approval${decided}`);
  }
  if (isSamePerson(by, requestedBy)) {
    throw refusal(
      failureTypes.ownTransfer,
      `by: ${requestedBy} has asked for ${reference}; somebody else has to decide`,
    );
  }
}

/** Who it is. @throws ApplicationFailure `InvalidTransfer` */
export function person(input: Decision): string {
  const parsed = inTheWorkflow.decision.safeParse(input);
  if (parsed.success) return parsed.data.by;
  throw refusal(failureTypes.invalidTransfer, problems(parsed.error));
}
