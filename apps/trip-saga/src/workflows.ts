import { untilItSucceeds, whileSomeoneWaits } from '@repo/activity-options';
import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  rootCause,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from './activities.ts';
import {
  type Bookings,
  bookingKey,
  type Cancellation,
  differingFields,
  failureTypes,
  outcomeUpdate,
  type Reason,
  type Service,
  startOfDay,
  stateQuery,
  statusAttribute,
  type TripOutcome,
  type TripRequest,
  type TripState,
  tripRequestInTheWorkflow,
  tripWorkflowId,
} from './contract.ts';

const { bookFlight, reserveHotel, scheduleCab } = proxyActivities<Activities>(whileSomeoneWaits);
const { cancelFlight, cancelHotel, cancelCab } = proxyActivities<Activities>(untilItSucceeds);

/** One step back. `undo` is safe to call whether or not the step forward ever happened. */
interface Compensation {
  service: Service;
  undo: () => Promise<Cancellation>;
}

/**
 * Books flight, hotel and cab, or none of them.
 *
 * Lives until the day of departure, for a trip can be cancelled until then: the outcome is known long before, and
 * `outcomeUpdate` answers with it. Fails with `InvalidTrip` on bad input; every other ending is a `TripOutcome`.
 */
export async function trip(input: TripRequest): Promise<TripOutcome> {
  const request = accept(input);
  const state: TripState = { request, status: 'booking', bookings: {} };
  const compensations: Compensation[] = [];

  setHandler(stateQuery, () => state);
  setHandler(outcomeUpdate, () => CancellationScope.nonCancellable(() => known(state)), {
    validator: (other?: TripRequest) => refuseOtherDetails(request, other),
  });

  try {
    changeStatus(state, 'booking');
    const bookings = await bookAll(request, state, compensations);
    conclude(state, { status: 'booked', tripId: request.tripId, bookings });
    await untilDeparture(request);
  } catch (error) {
    // A bug is not a business ending: thrown on, it keeps the trip waiting until a worker with the fix goes on with it.
    if (!isCancellation(error) && !(error instanceof ActivityFailure)) throw error;
    conclude(state, await CancellationScope.nonCancellable(() => compensate(error as Error, state, compensations)));
  }

  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  return state.outcome as TripOutcome;
}

/** @throws ApplicationFailure `InvalidTrip`, not retryable, that names each field and what is wrong with it. */
function accept(input: TripRequest): TripRequest {
  const parsed = tripRequestInTheWorkflow(Date.now()).safeParse(input);
  const refuse = (reason: string) =>
    ApplicationFailure.create({ type: failureTypes.invalidTrip, message: reason, nonRetryable: true });
  if (!parsed.success) {
    throw refuse(parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`).join('; '));
  }
  // Another workflow id with this trip id would share its booking keys: undoing one would undo the other.
  const expected = tripWorkflowId(parsed.data.tripId);
  if (workflowInfo().workflowId !== expected) {
    throw refuse(`tripId: the workflow id of this trip must be ${expected}`);
  }
  return parsed.data;
}

async function bookAll(request: TripRequest, state: TripState, compensations: Compensation[]): Promise<Bookings> {
  const { tripId, from, to, departure, passengers } = request;
  const key = (service: Service) => bookingKey(tripId, service);

  // Each compensation is registered before its step: a call that failed may have booked all the same.
  setCurrentDetails(`Booking the flight ${from} → ${to}`);
  compensations.unshift({ service: 'flight', undo: () => cancelFlight({ key: key('flight') }) });
  const flight = await bookFlight.executeWithOptions(
    { summary: `Flight ${from} → ${to}, ${departure} to ${request.return}` },
    [{ key: key('flight'), from, to, departure, return: request.return, passengers }],
  );
  state.bookings.flight = flight;

  setCurrentDetails(`Reserving the hotel in ${to}`);
  compensations.unshift({ service: 'hotel', undo: () => cancelHotel({ key: key('hotel') }) });
  const hotel = await reserveHotel.executeWithOptions(
    { summary: `Hotel in ${to}, ${departure} to ${request.return}` },
    [{ key: key('hotel'), city: to, arrival: departure, departure: request.return, guests: passengers }],
  );
  state.bookings.hotel = hotel;

  setCurrentDetails(`Scheduling the cab in ${to}`);
  compensations.unshift({ service: 'cab', undo: () => cancelCab({ key: key('cab') }) });
  const cab = await scheduleCab.executeWithOptions({ summary: `Cab in ${to}, ${departure}` }, [
    { key: key('cab'), city: to, date: departure, passengers },
  ]);
  state.bookings.cab = cab;

  return { flight, hotel, cab };
}

async function untilDeparture({ departure }: TripRequest): Promise<void> {
  setCurrentDetails(`Booked; waiting for the departure on ${departure}`);
  await sleep(Math.max(0, startOfDay(departure) - Date.now()), { summary: `departure on ${departure}` });
}

/** Undoes, newest first. One that cannot be undone does not keep the others from it, and ends in plain sight. */
async function compensate(error: Error, state: TripState, compensations: Compensation[]): Promise<TripOutcome> {
  const { tripId } = state.request;
  delete state.outcome;
  changeStatus(state, 'compensating');
  // The newest compensation belongs to the step that failed.
  const reason = reasonOf(compensations[0]?.service ?? 'flight', error);
  // What is booked under that key is another request's, and not this trip's to cancel.
  const ours = reason.type === failureTypes.bookingMismatch ? compensations.slice(1) : compensations;
  const undone: Service[] = [];
  const stuck: Reason[] = [];
  for (const { service, undo } of ours) {
    setCurrentDetails(`Cancelling the ${service}`);
    try {
      const { wasBooked } = await undo();
      if (wasBooked) undone.push(service);
      delete state.bookings[service];
    } catch (failure) {
      if (!(failure instanceof ActivityFailure)) throw failure;
      stuck.push(reasonOf(service, failure));
    }
  }
  if (stuck.length > 0) return { status: 'needs-attention', tripId, undone, stuck };
  if (isCancellation(error)) return { status: 'cancelled', tripId, undone };
  return { status: 'compensated', tripId, reason, undone };
}

function conclude(state: TripState, outcome: TripOutcome): void {
  state.outcome = outcome;
  changeStatus(state, outcome.status);
  setCurrentDetails(outcome.status);
}

async function known(state: TripState): Promise<TripOutcome> {
  await condition(() => state.outcome !== undefined);
  return state.outcome as TripOutcome;
}

function changeStatus(state: TripState, status: TripState['status']): void {
  state.status = status;
  upsertSearchAttributes([{ key: statusAttribute, value: status }]);
}

/** What an activity failed of: the service's own refusal, or, once it was asked for too long, the last thing seen. */
function reasonOf(service: Service, error: Error): Reason {
  const refusal = error.cause instanceof ApplicationFailure ? error.cause : undefined;
  return {
    service,
    type: refusal?.type ?? failureTypes.serviceUnavailable,
    message: rootCause(error) ?? error.message,
  };
}

function refuseOtherDetails(request: TripRequest, other: TripRequest | undefined): void {
  const differing = other ? differingFields(request, other) : [];
  if (differing.length === 0) return;
  const message = `${differing.join(', ')}: trip ${request.tripId} exists with other details`;
  throw ApplicationFailure.create({ type: failureTypes.tripMismatch, message, nonRetryable: true });
}
