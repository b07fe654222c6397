import type { z } from 'zod';
import { Refused } from '../../services/refused.ts';

/** The body of a request, as the schema gives it back. @throws Refused `invalidRequest` with the first field that is wrong */
export function check<Value>(schema: z.ZodType<Value>, body: string): Value {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Refused('invalidRequest', 'The body is not JSON', 'body');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const field = [...(issue?.path ?? []), ...unknown].join('.') || 'body';
  const problem = issue?.code === 'invalid_key' ? issue.issues[0]?.message : issue?.message;
  throw new Refused(
    'invalidRequest',
    `${field} ${unknown.length > 0 ? 'is not known' : (problem ?? 'is wrong')}`,
    field,
  );
}
