import { z } from 'zod';
import type { Booking, Cancellation, Service } from './contract.ts';

/** The outside world of this app: three booking services that are reached over HTTP. */

export interface FlightRequest {
  from: string;
  to: string;
  departure: string;
  return: string;
  passengers: number;
}

export interface HotelRequest {
  city: string;
  arrival: string;
  departure: string;
  guests: number;
}

export interface CabRequest {
  city: string;
  date: string;
  passengers: number;
}

/**
 * A service that takes and cancels bookings, each at most once per key, in whatever order the calls arrive.
 *
 * Both calls throw a `ServiceError`; both may be repeated with the same key and then answer the same.
 */
export interface BookingService<Request> {
  book(key: string, request: Request, signal: AbortSignal): Promise<Booking>;
  cancel(key: string, signal: AbortSignal): Promise<Cancellation>;
}

export interface Services {
  flight: BookingService<FlightRequest>;
  hotel: BookingService<HotelRequest>;
  cab: BookingService<CabRequest>;
}

/**
 * What a service answered instead of what was asked for. `httpStatus` is missing if it did not answer, or with something
 * that does not read like an answer of such a service.
 */
export class ServiceError extends Error {
  override name = 'ServiceError';
  readonly service: Service;
  readonly httpStatus: number | undefined;
  constructor(service: Service, httpStatus: number | undefined, message: string, options?: ErrorOptions) {
    super(message, options);
    this.service = service;
    this.httpStatus = httpStatus;
  }
}

const url = z
  .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
  // They would be shown in failures, and these are kept in histories.
  .refine(
    (text) => !URL.canParse(text) || !hasCredentials(new URL(text)),
    'must not have a user name or password in it',
  );

const hasCredentials = ({ username, password }: URL) => `${username}${password}` !== '';

/** From the environment; each is the base URL of one service. */
export const servicesConfig = z.object({ FLIGHT_URL: url, HOTEL_URL: url, CAB_URL: url });

export function createServices(config: z.infer<typeof servicesConfig>): Services {
  return {
    flight: overHttp('flight', config.FLIGHT_URL),
    hotel: overHttp('hotel', config.HOTEL_URL),
    cab: overHttp('cab', config.CAB_URL),
  };
}

/** What is answered goes into the workflow's history, where a few megabytes stop everything. */
const longestAnswer = 64 * 1024; // characters
const longestMessage = 500;

const bookingReply = z.object({ confirmation: z.string().max(100) });
const cancellationReply = z.object({ wasBooked: z.boolean() });

function overHttp<Request>(service: Service, baseUrl: string): BookingService<Request> {
  return {
    book: (key, request, signal) => call('PUT', key, signal, bookingReply, request),
    cancel: (key, signal) => call('DELETE', key, signal, cancellationReply),
  };

  async function call<Reply>(
    method: string,
    key: string,
    signal: AbortSignal,
    reply: z.ZodType<Reply>,
    body?: unknown,
  ) {
    const target = new URL(`bookings/${encodeURIComponent(key)}`, baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`);
    const headers = { 'content-type': 'application/json' };
    let status: number | undefined;
    try {
      const response = await fetch(target, {
        method,
        headers,
        signal,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      status = response.status;
      const text = await response.text();
      if (text.length > longestAnswer) throw new Error('The answer is too long');
      const answer: unknown = JSON.parse(text);
      if (response.ok) return reply.parse(answer);
      throw new ServiceError(service, status, messageOf(answer) ?? `${service} service answered ${status}`);
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      const problem = status === undefined ? 'does not answer' : `answered ${status} with something else than expected`;
      throw new ServiceError(service, undefined, `${service} service ${problem}`, { cause: error });
    }
  }
}

const errorReply = z.object({ error: z.object({ message: z.string() }) });
const messageOf = (answer: unknown): string | undefined =>
  errorReply.safeParse(answer).data?.error.message.slice(0, longestMessage);
