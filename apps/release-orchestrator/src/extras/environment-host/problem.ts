import type { Context } from 'hono';
import { type RefusalType, Refused } from '../../services/refused.ts';

/** What this host says no with, in terms of HTTP. */
const statuses = {
  InvalidArchive: 422,
  InvalidConfig: 422,
  DigestMismatch: 422,
  TooLarge: 413,
  OlderGeneration: 409,
  RolledBack: 409,
  GenerationMismatch: 409,
  NotActivated: 409,
  MissingParts: 409,
  InvalidRequest: 400,
} as const satisfies Partial<Record<RefusalType, number>>;

/** Answers that are no refusals: an address that is not there, or another host's, a token that is not right. */
export const answerError = (c: Context, status: 401 | 404 | 403 | 503, type: string, message: string) =>
  c.json({ error: { type, message } }, status);

/** The body of every answer that is not a 2xx: `{ error: { type, message, field? } }`. */
export function answerFor(c: Context, error: Error) {
  if (error instanceof Refused) {
    const { type, message, field } = error;
    return c.json({ error: { type, message, field } }, statuses[type as keyof typeof statuses] ?? 400);
  }
  console.error(error);
  return c.json({ error: { type: 'InternalError', message: 'A fault in this host; its log says more' } }, 500);
}
