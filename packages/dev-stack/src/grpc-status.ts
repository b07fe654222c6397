// Not the SDK's own: to import the client for it takes half a second, and `start` has better to do.
export const code = { cancelled: 1, invalidArgument: 3, deadlineExceeded: 4, notFound: 5 };
/** UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE */
export const passing = new Set([2, 4, 8, 10, 13, 14]);

/** The gRPC status of a failed call; undefined for an error of another kind. */
export function grpcStatus(error: unknown): number | undefined {
  const { code, details } = error as { code?: unknown; details?: unknown };
  return typeof code === 'number' && typeof details === 'string' ? code : undefined;
}
