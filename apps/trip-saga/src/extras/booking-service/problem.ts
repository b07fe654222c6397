import type { Refused } from '@repo/operations';
import type { z } from 'zod';

/** What a program can branch on when it did not get what it asked for. */
export type ProblemType =
  | 'invalidRequest'
  | 'tooLarge'
  | 'notFound'
  | 'bookingMismatch'
  | 'bookingCancelled'
  | 'cancellationRefused'
  | 'soldOut'
  | 'capacityTaken'
  | 'unavailable'
  | 'internalError';

/** The body of every answer that is not a 2xx. */
export interface ProblemReply {
  error: { type: string; message: string; field?: string; details?: Record<string, unknown> };
}

const statuses = {
  invalidRequest: 400,
  notFound: 404,
  bookingMismatch: 409,
  cancellationRefused: 409,
  capacityTaken: 409,
  bookingCancelled: 410,
  tooLarge: 413,
  soldOut: 422,
  internalError: 500,
  unavailable: 503,
} as const satisfies Record<ProblemType, number>;

/** Thrown by a handler, and answered with its status and body. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: (typeof statuses)[ProblemType];
  readonly reply: ProblemReply;

  constructor(type: ProblemType, message: string, more: { field?: string; details?: Record<string, unknown> } = {}) {
    super(message);
    this.status = statuses[type];
    this.reply = { error: { type, message, ...more } };
  }
}

/** The only refusal that bookings know is `soldOut`; it is the same however often it is asked for. */
export const refusalProblem = ({ message, details }: Refused) => new Problem('soldOut', message, { details });

/**
 * The value as the schema gives it back.
 * @param whole name of the whole value, for a message that concerns no single field of it
 * @throws Problem `invalidRequest` with the first field that is wrong
 */
export function check<Value>(schema: z.ZodType<Value>, value: unknown, whole: string): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = [...(issue?.path ?? []), ...unknown].join('.') || whole;
  const message = unknown.length > 0 ? 'is not known' : (issue?.message ?? 'is wrong');
  throw new Problem('invalidRequest', `${field} ${message}`, { field });
}
