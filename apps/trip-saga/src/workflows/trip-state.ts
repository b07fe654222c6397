import { CancellationScope, condition, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { statusAttribute, type TripOutcome, type TripState } from '../contract.ts';

/** The outcome is known: whoever waits for it is answered. */
export function conclude(state: TripState, outcome: TripOutcome): void {
  state.outcome = outcome;
  changeStatus(state, outcome.status);
  setCurrentDetails(outcome.status);
}

/** Resolves with the outcome once there is one, also while the workflow itself is being cancelled. */
export function known(state: TripState, settled: (outcome: TripOutcome) => boolean = () => true): Promise<TripOutcome> {
  return CancellationScope.nonCancellable(async () => {
    await condition(() => state.outcome !== undefined && settled(state.outcome));
    return state.outcome as TripOutcome;
  });
}

export function changeStatus(state: TripState, status: TripState['status']): void {
  state.status = status;
  upsertSearchAttributes([{ key: statusAttribute, value: status }]);
}
