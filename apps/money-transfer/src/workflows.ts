import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Ending, Reason, TransferInput, TransferOutcome, TransferRequest, TransferState } from './contract.ts';
import * as contract from './contract.ts';
import { approval, decide, person, refuseDecision } from './workflows/approval.ts';
import { deposit, refund, withdraw } from './workflows/legs.ts';
import { problems, refusal } from './workflows/refusal.ts';
import { answer, begin, goOn, known } from './workflows/transfer-state.ts';

const { failureTypes, inWords } = contract;

/**
 * Moves money from one account to another, or leaves it where it is.
 *
 * On its way it rests in suspense: withdrawn, and then deposited or given back. What nobody can take stays there until
 * `resolveUpdate`. Fails with `InvalidTransfer` on bad input; every other ending is an `Ending`.
 */
export async function transfer(input: TransferInput): Promise<Ending> {
  const request = accept(input);
  const state = begin(request);

  setHandler(contract.stateQuery, () => state);
  setHandler(contract.outcomeUpdate, () => known(state), {
    validator: (other?: TransferInput) => refuseOtherDetails(request, other),
  });
  const decided = (decision: 'approved' | 'rejected') => async (by: contract.Decision) => {
    decide(state, decision, by);
    return known(state);
  };
  const validator = (by: contract.Decision) => refuseDecision(state, by);
  setHandler(contract.approveUpdate, decided('approved'), { validator });
  setHandler(contract.rejectUpdate, decided('rejected'), { validator });
  setHandler(
    contract.resolveUpdate,
    async () => {
      state.attempt += 1;
      goOn(state, 'transferring');
      return known(state);
    },
    { validator: (by) => refuseUnlessStuck(state, by) },
  );

  let isWithdrawn = false;
  const ending = await move(state, () => {
    isWithdrawn = true;
  }).catch((error) => {
    // A bug is not a business ending: thrown on, it keeps the transfer waiting until a worker with the fix goes on with it.
    if (!isCancellation(error)) throw error;
    return { status: 'cancelled', reference: request.reference } as const;
  });
  const whole = CancellationScope.current();
  return CancellationScope.nonCancellable(async () => {
    const isSettled = ending.status === 'completed' || ending.status === 'refused';
    const end = isSettled ? ending : await giveBack(state, ending, whole, isWithdrawn);
    answer(state, end, words(request, end));
    await condition(allHandlersFinished);
    return end;
  });
}

/** @throws ApplicationFailure `InvalidTransfer`, not retryable, that names each field and what is wrong with it. */
function accept(input: TransferInput): TransferRequest {
  const parsed = contract.inTheWorkflow.transfer.safeParse(input);
  const refuse = (reason: string) => {
    const refused = refusal(failureTypes.invalidTransfer, reason);
    const validator = () => {
      throw refused;
    };
    // Whoever asks for the outcome in the same breath as for the start gets this answer, and not that there is none.
    setHandler<TransferOutcome, [TransferInput?], typeof contract.outcomeUpdate>(contract.outcomeUpdate, validator, {
      validator,
    });
    return refused;
  };
  if (!parsed.success) throw refuse(problems(parsed.error));
  // Under another workflow id, two transfers of this reference would share its keys.
  const expected = contract.transferWorkflowId(parsed.data.reference);
  if (workflowInfo().workflowId !== expected) {
    throw refuse(`reference: the workflow id of this transfer must be ${expected}`);
  }
  return parsed.data;
}

/** The way there. The ending says what is to become of money in suspense: unless it is completed, it goes back. */
async function move(state: TransferState, onWithdrawn: () => void): Promise<Ending> {
  const { request } = state;
  const { reference } = request;
  const refused = await withdraw(state);
  if (refused) {
    // Any other failure is no answer of the ledger's: the withdrawal may have happened, and has to be undone.
    const isAnswer = (Object.values(ledgerFailureTypes) as string[]).includes(refused.type);
    return { status: isAnswer ? 'refused' : 'refunded', reference, reason: reasonOf(refused) };
  }
  onWithdrawn();
  if (contract.needsApproval(request)) {
    const { decision, by = '' } = await approval(state);
    if (decision === 'rejected') return { status: 'rejected', reference, by };
    if (decision === 'expired') return { status: 'expired', reference };
  }
  return depositOrRefund(state);
}

async function depositOrRefund(state: TransferState): Promise<Ending> {
  const { reference } = state.request;
  const refused = await deposit(state);
  return refused ? { status: 'refunded', reference, reason: reasonOf(refused) } : { status: 'completed', reference };
}

/**
 * Gives the money back, and ends only when either side has it. If neither can take it, it waits for a person to mend the
 * cause: then the target is asked once more, unless that is not wanted any longer, and then the sender.
 */
async function giveBack(
  state: TransferState,
  reason: Ending,
  whole: CancellationScope,
  isWithdrawn: boolean,
): Promise<Ending> {
  const { reference } = state.request;
  let ending = reason;
  for (;;) {
    goOn(state, 'giving-back');
    const refused = await refund(state);
    if (!refused) return ending;
    // A deposit of which nobody knew has happened, or the money has been given back already: the ledger decides.
    if (refused.type === ledgerFailureTypes.nothingInSuspense) {
      if (refused.restsAs !== 'deposited') return ending;
      // By an earlier run: only if it was asked for the same, this transfer is completed.
      const other = isWithdrawn ? undefined : await withdraw(state);
      return other ? { status: 'refused', reference, reason: reasonOf(other) } : { status: 'completed', reference };
    }
    const problem = { leg: 'refund', ...reasonOf(refused), isBeingTried: false } as const;
    const details = `${inWords(state.request)} rests in suspense: ${refused.message}. Mend that, and resolve`;
    answer(state, { status: 'needs-attention', reference, problem }, details);
    await condition(() => state.outcome === undefined);
    if (ending.status === 'refunded' && !whole.consideredCancelled) {
      ending = await depositOrRefund(state);
      if (ending.status === 'completed') return ending;
    }
  }
}

function refuseOtherDetails(request: TransferRequest, input: TransferInput | undefined): void {
  if (input === undefined) return;
  const other = contract.inTheWorkflow.transfer.safeParse(input);
  if (!other.success) throw refusal(failureTypes.invalidTransfer, problems(other.error));
  const differing = contract.differingFields(request, other.data);
  if (differing.length === 0) return;
  const message = `${differing.join(', ')}: transfer ${request.reference} exists with other details`;
  throw refusal(failureTypes.transferMismatch, message);
}

function refuseUnlessStuck({ request, status, outcome }: TransferState, by: contract.Decision): void {
  person(by);
  const stuck = outcome?.status === 'needs-attention' ? outcome.problem : undefined;
  if (stuck && !stuck.isBeingTried) return;
  const why = stuck ? 'is still being tried, and goes on by itself' : `is ${status}: nothing waits for a person`;
  throw refusal(failureTypes.nothingToResolve, `transfer ${request.reference} ${why}`);
}

const reasonOf = ({ type, message }: Reason): Reason => ({ type, message });

function words(request: TransferRequest, { status }: Ending): string {
  const where = status === 'completed' ? `from ${request.from} to ${request.to}` : `is with ${request.from}`;
  return `${status}: ${inWords(request)} ${where}`;
}
