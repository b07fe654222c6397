import { z } from 'zod';
import { invalidArgument } from './errors.ts';
import { objectId } from './object-id.ts';

/** What SpiceDB takes, checked before it is asked. The patterns are those of its API (authzed/api/v1/core.proto). */

const objectType = z
  .string('must be a string')
  .max(128, 'must have at most 128 characters')
  .regex(/^([a-z][a-z0-9_]{1,61}[a-z0-9]\/)*[a-z][a-z0-9_]{1,62}[a-z0-9]$/, 'must be the name of a type in the schema');
const relation = z
  .string('must be a string')
  .regex(/^[a-z][a-z0-9_]{1,62}[a-z0-9]$/, 'must be the name of a relation or permission');
const token = z.string('must be a string').min(1, 'must not be empty').max(102_400, 'is too long for a ZedToken');

const object = z.strictObject({ type: objectType, id: objectId });
const subject = z.strictObject({ type: objectType, id: objectId, relation: relation.optional() });
const relationship = z.strictObject({ resource: object, relation, subject });
const update = z.strictObject({ operation: z.enum(['create', 'touch', 'delete']), relationship });

// A field that is there but undefined, or empty, was meant to be something; taken as "any", it would delete everything.
const filter = z.strictObject({
  resourceType: objectType,
  resourceId: objectId.exactOptional(),
  relation: relation.exactOptional(),
  subject: z.strictObject({ type: objectType, id: objectId.exactOptional() }).exactOptional(),
});
const preconditions = z.array(z.strictObject({ must: z.enum(['match', 'not-match']), filter })).optional();
const consistency = z.union(
  [z.literal(['full', 'minimize-latency']), z.strictObject({ atLeastAsFreshAs: token })],
  'must be full, minimize-latency or { atLeastAsFreshAs: <ZedToken> }',
);

export const writeRequest = z.strictObject({
  updates: z.array(update).min(1, 'must not be empty'),
  preconditions,
});
export const deleteRequest = z.strictObject({ filter, preconditions });
export const checkRequest = z.strictObject({ resource: object, permission: relation, subject, consistency });
export const resourcesRequest = z.strictObject({ type: objectType, permission: relation, subject, consistency });
export const listLimit = z
  .int('must be a whole number')
  .min(1, 'must be at least 1')
  .max(1_000, 'must be at most 1000')
  .default(1_000);
export const relationshipsRequest = z.strictObject({ filter, consistency });

/** @throws PermissionsError `invalidArgument` that names each field and what is wrong with it, but not its value. */
export function accept<Schema extends z.ZodType>(schema: Schema, request: unknown): z.output<Schema> {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, mostProblems)
    .map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`);
  throw invalidArgument(problems.join('; '));
}

/** Of a thousand updates each may be wrong; the message goes into a workflow's history. */
const mostProblems = 5;
