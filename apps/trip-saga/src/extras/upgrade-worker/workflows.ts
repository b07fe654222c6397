import { untilItSucceeds, whileSomeoneWaits } from '@repo/activity-options';
import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities.ts';
import type { Bookings, CancelRequest, Service, TripOutcome, TripRequest, TripState } from '../../contract.ts';
import * as contract from '../../contract.ts';
import { type Compensation, compensate } from '../../workflows/compensation.ts';
import { changeStatus, conclude, known } from '../../workflows/trip-state.ts';

const { bookingKey, failureTypes, startOfDay } = contract;
const { bookFlight, reserveHotel, scheduleCab } = proxyActivities<Activities>(whileSomeoneWaits);
const { cancelFlight, cancelHotel, cancelCab } = proxyActivities<Activities>(untilItSucceeds);

/**
 * Version 2 of src/workflows.ts, for the scenario `upgrade`: the same but for `bookAll`, where the cab comes before the
 * hotel. Trips that version 1 began are safe with it, because it asks `patched` before it does anything in another way.
 *
 * Books flight, hotel and cab, or none of them.
 *
 * Lives until the day of departure, for a trip can be cancelled until then: the outcome is known long before, and
 * `outcomeUpdate` answers with it. Fails with `InvalidTrip` on bad input; every other ending is a `TripOutcome`.
 */
export async function trip(input: TripRequest): Promise<TripOutcome> {
  const request = accept(input);
  const state: TripState = { request, status: 'booking', bookings: {} };
  const compensations: Compensation[] = [];
  const journey = new CancellationScope();
  let departed = false;

  setHandler(contract.stateQuery, () => state);
  setHandler(contract.outcomeUpdate, () => known(state), {
    validator: (other?: TripRequest) => refuseOtherDetails(request, other),
  });
  setHandler(contract.cancelSignal, (cancel) => {
    if (!departed && contract.requestedAt(cancel, Date.now()) < startOfDay(request.departure)) journey.cancel();
  });
  setHandler(
    contract.cancelUpdate,
    async () => {
      journey.cancel();
      return known(state, (outcome) => outcome.status !== 'booked');
    },
    { validator: (cancel) => refuseAfterDeparture(request, cancel, departed) },
  );
  setHandler(
    contract.resolveUpdate,
    async () => {
      delete state.outcome;
      changeStatus(state, 'compensating');
      return known(state);
    },
    { validator: () => refuseUnlessStuck(state) },
  );

  try {
    changeStatus(state, 'booking');
    await journey.run(async () => {
      const bookings = await bookAll(request, state, compensations);
      conclude(state, { status: 'booked', tripId: request.tripId, bookings });
      await untilDeparture(request);
      // A cancellation that was asked for in time may have waited, like the timer, for a worker to come back.
      if (journey.consideredCancelled) throw new CancelledFailure('cancelled before the departure');
      departed = true;
    });
  } catch (error) {
    // A bug is not a business ending: thrown on, it keeps the trip waiting until a worker with the fix goes on with it.
    if (!isCancellation(error) && !(error instanceof ActivityFailure)) throw error;
    // An attempt that fails while it is being cancelled is not tried again: the error alone does not tell.
    const cancelled = isCancellation(error) || journey.consideredCancelled;
    await CancellationScope.nonCancellable(() => compensate(error as Error, cancelled, state, compensations));
  }

  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  return state.outcome as TripOutcome;
}

/** @throws ApplicationFailure `InvalidTrip`, not retryable, that names each field and what is wrong with it. */
function accept(input: TripRequest): TripRequest {
  const parsed = contract.tripRequestInTheWorkflow(Date.now()).safeParse(input);
  const refuse = (reason: string) => answer(refusal(failureTypes.invalidTrip, reason));
  // Whoever asks for the outcome in the same breath as for the start gets this answer, and not that there is none.
  const answer = (refused: Error) => {
    const sayWhy = () => {
      throw refused;
    };
    setHandler<TripOutcome, [TripRequest?], typeof contract.outcomeUpdate>(contract.outcomeUpdate, sayWhy, {
      validator: sayWhy,
    });
    return refused;
  };
  if (!parsed.success) {
    throw refuse(parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`).join('; '));
  }
  // Another workflow id with this trip id would share its booking keys: undoing one would undo the other.
  const expected = contract.tripWorkflowId(parsed.data.tripId);
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
  compensations.unshift({ service: 'flight', cancel: cancelFlight });
  state.bookings.flight = await bookFlight.executeWithOptions(
    { summary: `Flight ${from} → ${to}, ${departure} to ${request.return}` },
    [{ key: key('flight'), from, to, departure, return: request.return, passengers }],
  );

  const takeHotel = async () => {
    setCurrentDetails(`Reserving the hotel in ${to}`);
    compensations.unshift({ service: 'hotel', cancel: cancelHotel });
    state.bookings.hotel = await reserveHotel.executeWithOptions(
      { summary: `Hotel in ${to}, ${departure} to ${request.return}` },
      [{ key: key('hotel'), city: to, arrival: departure, departure: request.return, guests: passengers }],
    );
  };
  const takeCab = async () => {
    setCurrentDetails(`Scheduling the cab in ${to}`);
    compensations.unshift({ service: 'cab', cancel: cancelCab });
    state.bookings.cab = await scheduleCab.executeWithOptions({ summary: `Cab in ${to}, ${departure}` }, [
      { key: key('cab'), city: to, date: departure, passengers },
    ]);
  };

  // Cabs run out sooner than rooms. A trip that passed this line with version 1 goes on in the order in which it began.
  const inOrder = patched('cab-before-hotel') ? [takeCab, takeHotel] : [takeHotel, takeCab];
  for (const take of inOrder) await take();

  return { ...state.bookings } as Bookings;
}

async function untilDeparture({ departure }: TripRequest): Promise<void> {
  setCurrentDetails(`Booked; waiting for the departure on ${departure}`);
  await sleep(Math.max(0, startOfDay(departure) - Date.now()), { summary: `departure on ${departure}` });
}

function refuseOtherDetails(request: TripRequest, other: TripRequest | undefined): void {
  const differing = other ? contract.differingFields(request, other) : [];
  if (differing.length === 0) return;
  const message = `${differing.join(', ')}: trip ${request.tripId} exists with other details`;
  throw refusal(failureTypes.tripMismatch, message);
}

function refuseAfterDeparture({ tripId, departure }: TripRequest, cancel: CancelRequest, departed: boolean): void {
  if (!departed && contract.requestedAt(cancel, Date.now()) < startOfDay(departure)) return;
  throw refusal(failureTypes.tripDeparted, `trip ${tripId} has departed on ${departure}`);
}

function refuseUnlessStuck({ request, status }: TripState): void {
  if (status === 'needs-attention') return;
  throw refusal(failureTypes.nothingToResolve, `trip ${request.tripId} is ${status}: nothing waits for a person`);
}

const refusal = (type: string, message: string) => ApplicationFailure.create({ type, message, nonRetryable: true });
