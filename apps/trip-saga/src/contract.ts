import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { z } from 'zod';

/** What everybody who talks to this app has to know: names, inputs, outcomes, messages, failure types. */

/** A deployment that shares a Temporal namespace with another one sets TASK_QUEUE. */
export const defaultTaskQueue = 'trip-saga';

/** One workflow for one trip: the id is how Temporal refuses a second one. */
export const tripWorkflowId = (tripId: string): string => `trip:${tripId}`;

export const services = ['flight', 'hotel', 'cab'] as const;
export type Service = (typeof services)[number];

/** The idempotency key of one booking: made of the business operation, so every retry, replay and reset uses the same. */
export const bookingKey = (tripId: string, service: Service): string => `trip:${tripId}:${service}`;

/** Why something was refused or failed. Programs branch on these, never on a message. */
export const failureTypes = {
  /** The request breaks a rule; nothing was written. */
  invalidTrip: 'InvalidTrip',
  /** There is a trip of that id already, with other details. */
  tripMismatch: 'TripMismatch',
  /** Too late to cancel. */
  tripDeparted: 'TripDeparted',
  /** There is nothing that waits for a person. */
  nothingToResolve: 'NothingToResolve',
  /** A lasting refusal: no seats, rooms or cabs on that day. */
  soldOut: 'SoldOut',
  /** The service has another request under the same key. */
  bookingMismatch: 'BookingMismatch',
  /** The booking was cancelled, maybe before it arrived; it cannot be made any more. */
  bookingCancelled: 'BookingCancelled',
  /** The service finds the request wrong. */
  invalidBooking: 'InvalidBooking',
  /** No answer, or one that is worth asking again for. The only one that is retried. */
  serviceUnavailable: 'ServiceUnavailable',
} as const;

export const cities = ['AMS', 'BER', 'CPH', 'DUB', 'LIS', 'LON', 'MAD', 'OSL', 'PAR', 'PRG', 'ROM', 'VIE'] as const;

const date = z.iso.date('must be a date that exists, as YYYY-MM-DD');
const city = z.enum(cities, `must be one of ${cities.join(', ')}`);

const tripFields = z.object({
  tripId: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, 'must be 1 to 64 letters, digits and hyphens'),
  traveller: z
    .string()
    .max(100, 'must have at most 100 characters')
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must not contain control characters')
    .refine((name) => name.trim() !== '', 'must not be empty'),
  passengers: z.int('must be a whole number').min(1, 'must be at least 1').max(100, 'must be at most 100'),
  from: city,
  to: city,
  departure: date,
  return: date,
});

export type TripRequest = z.infer<typeof tripFields>;

/** Days are counted in UTC: what is booked is a calendar day, and a worker's own time zone must not change it. */
export const startOfDay = (day: string): number => Date.parse(`${day}T00:00:00Z`);

const dayLength = 24 * 60 * 60 * 1000; // milliseconds

/** The rules that concern more than one field, or the time of the request (`now` in milliseconds since the epoch). */
const coherent = (now: number) => (trip: TripRequest, context: z.RefinementCtx) => {
  const refuse = (field: keyof TripRequest, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
  const nights = (startOfDay(trip.return) - startOfDay(trip.departure)) / dayLength;
  if (trip.from === trip.to) refuse('to', 'must be another city than from');
  if (nights <= 0) refuse('return', 'must be after departure');
  if (nights > 60) refuse('return', 'must be at most 60 days after departure');
  if (startOfDay(trip.departure) <= now) refuse('departure', 'must not be in the past: tomorrow at the earliest');
  if (startOfDay(trip.departure) > now + 730 * dayLength) refuse('departure', 'must be within two years');
};

/** For the doors (command line, HTTP): every field checked, unknown fields refused. */
export const tripRequestAtTheDoor = (now: number) => tripFields.strict().superRefine(coherent(now));

/** For the workflow's first line: the same rules, but a field that only a newer starter knows is ignored. */
export const tripRequestInTheWorkflow = (now: number) => tripFields.superRefine(coherent(now));

/** The fields in which two requests differ; none if they ask for the same trip. */
export const differingFields = (one: TripRequest, other: TripRequest): string[] =>
  Object.keys(tripFields.shape).filter(
    (field) => one[field as keyof TripRequest] !== other[field as keyof TripRequest],
  );

export interface Booking {
  /** What the traveller shows at the desk. */
  confirmation: string;
}

export interface Cancellation {
  /** False if there was nothing to cancel: the booking had been refused, or had never arrived. */
  wasBooked: boolean;
}

export type Bookings = Record<Service, Booking>;

/** Why a trip was not booked. `type` is one of `failureTypes`; programs branch on it and never on the message. */
export interface Reason {
  service: Service;
  type: string;
  message: string;
}

/**
 * What is answered to whoever waits. All but `needs-attention` are final, and one of those is what the workflow returns;
 * a workflow that fails instead has been given bad input.
 */
export type TripOutcome =
  | { status: 'booked'; tripId: string; bookings: Bookings }
  | { status: 'compensated'; tripId: string; reason: Reason; undone: Service[] }
  | { status: 'cancelled'; tripId: string; undone: Service[] }
  | { status: 'needs-attention'; tripId: string; undone: Service[]; stuck: Reason[] };

export interface TripState {
  request: TripRequest;
  /** `needs-attention` is not an end: what is stuck is still to be undone, once a person has mended its cause. */
  status: 'booking' | 'compensating' | TripOutcome['status'];
  /** What is booked at this moment. */
  bookings: Partial<Bookings>;
  outcome?: TripOutcome;
}

/** Answers at once with what is known. */
export const stateQuery = defineQuery<TripState>('state');

/**
 * Answers as soon as the outcome is known. With a request in it, it is refused (`tripMismatch`) if the trip of this id
 * was booked with other details.
 */
export const outcomeUpdate = defineUpdate<TripOutcome, [TripRequest?]>('outcome');

const cancelRequest = z.object({ requestedAt: z.iso.datetime({ offset: true }).optional() }).optional();

/** When the traveller asked, as ISO 8601; left out, it is when a worker reads the message, which may be after the departure. */
export type CancelRequest = z.infer<typeof cancelRequest>;

/**
 * Cancels the trip, until its departure. What counts is when it was asked for: a signal is recorded while no worker is
 * up, and then counts although it is read late.
 */
export const cancelSignal = defineSignal<[CancelRequest]>('cancel');

/** Cancels the trip, and answers with what has become of it; refused (`tripDeparted`) after the departure. */
export const cancelUpdate = defineUpdate<TripOutcome, [CancelRequest]>('cancelNow');

/** Tries again what is stuck, and answers with what has become of it; refused (`nothingToResolve`) if nothing is. */
export const resolveUpdate = defineUpdate<TripOutcome>('resolve');

/**
 * When a cancellation was asked for, in milliseconds since the epoch: what the client says, but not after now, and now
 * if what it says cannot be read.
 */
export function requestedAt(request: CancelRequest, now: number): number {
  const said = cancelRequest.safeParse(request).data?.requestedAt;
  return said === undefined ? now : Math.min(now, Date.parse(said));
}

/** Search attributes, so that trips can be found in the Web UI and with `temporal workflow list --query`. */
export const statusAttribute = defineSearchAttributeKey('Status', 'KEYWORD');
export const startedByAttribute = defineSearchAttributeKey('StartedBy', 'KEYWORD');
