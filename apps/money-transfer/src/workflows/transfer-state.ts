import { CancellationScope, condition, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { statusAttribute, type TransferOutcome, type TransferRequest, type TransferState } from '../contract.ts';

export function begin(request: TransferRequest): TransferState {
  const state: TransferState = { request, status: 'transferring', attempt: 1 };
  showStatus(state);
  return state;
}

/** An outcome is known: whoever waits for one is answered. `words` are for the Web UI. */
export function answer<Outcome extends TransferOutcome>(
  state: TransferState,
  outcome: Outcome,
  words: string,
): Outcome {
  state.outcome = outcome;
  changeStatus(state, outcome.status);
  setCurrentDetails(words);
  return outcome;
}

/** The money moves on: what was answered until now holds no longer. */
export function goOn(state: TransferState, status: 'transferring' | 'giving-back'): void {
  delete state.outcome;
  changeStatus(state, status);
}

/** Resolves with the outcome once there is one, also while the workflow itself is being cancelled. */
export function known(state: TransferState): Promise<TransferOutcome> {
  return CancellationScope.nonCancellable(async () => {
    let outcome: TransferOutcome | undefined;
    // Kept at once: by the time this goes on, the transfer may have gone on too.
    await condition(() => {
      outcome = state.outcome;
      return outcome !== undefined;
    });
    return outcome as unknown as TransferOutcome;
  });
}

function changeStatus(state: TransferState, status: TransferState['status']): void {
  if (state.status === status) return;
  state.status = status;
  showStatus(state);
}

const showStatus = ({ status }: TransferState) => upsertSearchAttributes([{ key: statusAttribute, value: status }]);
