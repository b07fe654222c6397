import { briefly, untilItSucceeds } from '@repo/activity-options';
import {
  ActivityFailure,
  type ActivityInterfaceFor,
  type ActivityOptions,
  ApplicationFailure,
  condition,
  rootCause,
  setCurrentDetails,
} from '@temporalio/workflow';
import type { Activities } from '../activities.ts';
import { bookingKey, failureTypes, type Reason, type Service, type TripState } from '../contract.ts';
import { changeStatus, conclude } from './trip-state.ts';

/** One step back, safe to take whether or not the step forward ever happened. */
export interface Compensation {
  service: Service;
  cancel: ActivityInterfaceFor<Activities>['cancelFlight'];
}

/** A person is told that something takes that long to undo, while it is still being tried. */
const alarmAfter = '5 minutes';

/** Undoes everything, and ends only when nothing is left to undo: what is stuck waits for `resolveUpdate`. */
export async function compensate(error: Error, cancelled: boolean, state: TripState, compensations: Compensation[]) {
  const { tripId } = state.request;
  delete state.outcome;
  changeStatus(state, 'compensating');
  // The newest compensation belongs to the step that failed.
  const reason = reasonOf(compensations[0]?.service ?? 'flight', error);
  // What is booked under that key is another request's, and not this trip's to cancel.
  let left = reason.type === failureTypes.bookingMismatch ? compensations.slice(1) : compensations;
  const undone: Service[] = [];
  for (;;) {
    const stuck = await undoAll(left, state, undone);
    if (stuck.length === 0) break;
    conclude(state, { status: 'needs-attention', tripId, undone, stuck });
    await condition(() => state.status !== 'needs-attention');
    left = left.filter(({ service }) => stuck.some((one) => one.service === service));
  }
  if (cancelled) conclude(state, { status: 'cancelled', tripId, undone });
  else conclude(state, { status: 'compensated', tripId, reason, undone });
}

/**
 * Undoes newest first. One that is refused for good, or takes long, does not keep the others from being undone.
 * @returns what was refused for good
 */
async function undoAll(compensations: Compensation[], state: TripState, undone: Service[]): Promise<Reason[]> {
  const stuck: Reason[] = [];
  const slow = new Set<Compensation>();
  const undo = async (compensation: Compensation, options: ActivityOptions) => {
    const { service, cancel } = compensation;
    setCurrentDetails(`Cancelling the ${service}`);
    try {
      const key = bookingKey(state.request.tripId, service);
      const { wasBooked } = await cancel.executeWithOptions(options, [{ key }]);
      slow.delete(compensation);
      if (wasBooked) undone.push(service);
      delete state.bookings[service];
    } catch (failure) {
      if (!(failure instanceof ActivityFailure)) throw failure;
      slow.delete(compensation);
      const reason = reasonOf(service, failure);
      if (reason.type === failureTypes.serviceUnavailable) slow.add(compensation);
      else stuck.push(reason);
    }
  };

  for (const compensation of compensations) await undo(compensation, briefly);
  const atLast = Promise.all([...slow].map((compensation) => undo(compensation, untilItSucceeds)));
  if (slow.size > 0 && !(await condition(() => slow.size === 0, alarmAfter))) {
    const message = 'does not answer; it is still being asked';
    const pending = [...slow].map(({ service }) => ({
      service,
      type: failureTypes.serviceUnavailable,
      message,
    }));
    conclude(state, { status: 'needs-attention', tripId: state.request.tripId, undone, stuck: [...stuck, ...pending] });
  }
  await atLast;
  return stuck;
}

/** What an activity failed of: the service's own refusal, or, once it was asked for too long, the last thing seen. */
function reasonOf(service: Service, error: Error): Reason {
  const failure = error.cause instanceof ApplicationFailure ? error.cause : undefined;
  return {
    service,
    type: failure?.type ?? failureTypes.serviceUnavailable,
    message: rootCause(error) ?? error.message,
  };
}
