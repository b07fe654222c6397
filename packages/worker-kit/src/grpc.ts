/** Status codes of gRPC. */
export const codes = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  failedPrecondition: 9,
  unavailable: 14,
} as const;

/** An error and what caused it, outermost first. */
export function causes(error: unknown): Error[] {
  const found: Error[] = [];
  for (let one = error; one instanceof Error && !found.includes(one); one = one.cause) found.push(one);
  return found;
}

/** Whether an error or one of its causes has one of these status codes. */
export const anyCode = (error: unknown, some: number[]): boolean =>
  causes(error).some((one) => 'code' in one && some.includes(one.code as number));

/** True for an error that says that Temporal itself does not answer. */
export const isUnreachable = (error: unknown): boolean =>
  anyCode(error, [codes.cancelled, codes.deadlineExceeded, codes.unavailable]);
