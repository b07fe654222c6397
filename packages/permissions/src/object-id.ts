import { z } from 'zod';

/**
 * An id that SpiceDB can hold, for the doors and for a workflow's first line: 1 to 1,024 letters (A to Z), digits and
 * `/ _ | - = +`. So it has no `:`, and ids can be joined with it; and it is not `*`, which means everybody.
 *
 * Follows `ObjectReference` in SpiceDB's API (authzed/api/v1/core.proto). What the rule refuses is never part of the
 * message: it may be long, or hold control characters.
 */
export const objectId = z
  .string('must be a string')
  .min(1, 'must not be empty')
  .max(1024, 'must have at most 1024 characters')
  .refine((id) => id !== '*', 'must not be *, which would mean everybody')
  .regex(/^[A-Za-z0-9/_|=+-]*$/, 'must have no other characters than A to Z, a to z, 0 to 9 and / _ | - = +');
