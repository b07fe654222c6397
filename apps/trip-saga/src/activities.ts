import { activityFailure } from '@repo/activity-options/failure';
import { Context } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import { failureTypes } from './contract.ts';
import { type CabRequest, type FlightRequest, type HotelRequest, ServiceError, type Services } from './services.ts';

/** A call is given up before its activity is, so that the failure says which service did not answer. */
const shareOfTime = 0.8;

type Keyed<Request> = { key: string } & Request;

/**
 * The only place where this app touches the world. Every activity may run more than once; the key makes the second
 * time harmless.
 */
export function createActivities({ flight, hotel, cab }: Services) {
  return {
    bookFlight: ({ key, ...request }: Keyed<FlightRequest>) => attempt((signal) => flight.book(key, request, signal)),
    cancelFlight: ({ key }: { key: string }) => attempt((signal) => flight.cancel(key, signal)),

    reserveHotel: ({ key, ...request }: Keyed<HotelRequest>) => attempt((signal) => hotel.book(key, request, signal)),
    cancelHotel: ({ key }: { key: string }) => attempt((signal) => hotel.cancel(key, signal)),

    scheduleCab: ({ key, ...request }: Keyed<CabRequest>) => attempt((signal) => cab.book(key, request, signal)),
    cancelCab: ({ key }: { key: string }) => attempt((signal) => cab.cancel(key, signal)),
  };
}

export type Activities = ReturnType<typeof createActivities>;

/** @throws ApplicationFailure with one of `failureTypes` and the cause kept. */
async function attempt<Reply>(call: (signal: AbortSignal) => Promise<Reply>): Promise<Reply> {
  try {
    const { info, cancellationSignal } = Context.current();
    // In whole milliseconds: what a workflow's own time-out leaves to an activity need not be a round number.
    const giveUp = AbortSignal.timeout(Math.floor(info.startToCloseTimeoutMs * shareOfTime));
    return await call(AbortSignal.any([giveUp, cancellationSignal]));
  } catch (error) {
    throw toFailure(error);
  }
}

/** HTTP statuses that are the same tomorrow. All others are worth another attempt. */
const refusals: Record<number, string> = {
  400: failureTypes.invalidBooking,
  409: failureTypes.bookingMismatch,
  410: failureTypes.bookingCancelled,
  413: failureTypes.invalidBooking,
  422: failureTypes.soldOut,
};

function toFailure(error: unknown): unknown {
  if (!(error instanceof ServiceError)) return error;
  const refusal = error.httpStatus === undefined ? undefined : refusals[error.httpStatus];
  return activityFailure({
    type: refusal ?? failureTypes.serviceUnavailable,
    nonRetryable: refusal !== undefined,
    message: error.message,
    cause: error,
    // A refusal is an answer: it need not fill the worker's log.
    category: refusal === undefined ? undefined : ApplicationFailureCategory.BENIGN,
  });
}
