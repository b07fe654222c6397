import { ApplicationFailure, type ApplicationFailureOptions } from '@temporalio/common';

/** Lines of each stack trace that are kept, beside the message. */
const framesKept = 3;

/**
 * What an activity throws: an `ApplicationFailure` whose stack traces, and those of its causes, are cut to their first lines.
 *
 * Of an activity that is tried again Temporal keeps the last failure in 4 KiB at most, and nothing of a larger one: no type, no
 * message, "Failure exceeds size limit." where people and programs look for the reason. Three whole stack traces are larger.
 */
export function activityFailure(options: ApplicationFailureOptions): ApplicationFailure {
  const { cause } = options;
  return shortened(ApplicationFailure.create({ ...options, ...(cause instanceof Error && { cause: brief(cause) }) }));
}

/** The same error, as it is told to Temporal; the one at hand may still be logged as it is. */
function brief(error: Error): Error {
  const cause = error.cause instanceof Error ? { cause: brief(error.cause) } : undefined;
  const told = new Error(error.message, cause);
  told.name = error.name;
  told.stack = error.stack;
  return shortened(told);
}

function shortened<Failure extends Error>(error: Failure): Failure {
  const lines = error.stack?.split('\n') ?? [];
  // A message may have several lines.
  const first = lines.findIndex((line) => /^\s+at /.test(line));
  if (first >= 0) error.stack = lines.slice(0, first + framesKept).join('\n');
  return error;
}
