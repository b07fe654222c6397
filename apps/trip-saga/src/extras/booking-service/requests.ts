import { z } from 'zod';

/** So many of a resource on a day: seats, rooms or cabs. */
export interface Item {
  resource: string;
  /** YYYY-MM-DD */
  date: string;
  quantity: number;
}

/** What is particular about one of the three services. */
export interface Service<Request = unknown> {
  name: 'flight' | 'hotel' | 'cab';
  /** What is counted, for messages. */
  unit: string;
  /** How much there is of a resource on a day for which nobody has set another capacity. */
  capacity: number;
  request: z.ZodType<Request>;
  /** What a request takes; no resource twice on the same day. */
  items(request: Request): Item[];
}

const day = 24 * 60 * 60 * 1000;

export const date = z.iso
  .date('must be a date that exists, as YYYY-MM-DD')
  // PostgreSQL has no year 0.
  .refine((value) => value >= '0001-01-01', 'must be a date that exists, as YYYY-MM-DD');

export const city = z
  .string('must be text')
  .regex(/^[A-Z]{3}$/, 'must be a city code of three capital letters, such as LIS');

export const people = z.int('must be a whole number').min(1, 'must be at least 1').max(10_000, 'must be at most 10000');

export const key = z
  .string()
  .min(1, 'must not be empty')
  .max(200, 'must have at most 200 characters')
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters');

/** The nights from one day to another, counted in UTC so that no clock is ever put back in between. */
export function nights(arrival: string, departure: string): number {
  return (Date.parse(departure) - Date.parse(arrival)) / day;
}

/** The day `count` days after `from`. */
export function dayAfter(from: string, count: number): string {
  return new Date(Date.parse(from) + count * day).toISOString().slice(0, 10);
}
