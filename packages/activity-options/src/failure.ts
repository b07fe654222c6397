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
  const failure = ApplicationFailure.create(options);
  for (let one: unknown = failure; one instanceof Error; one = one.cause) shorten(one);
  return failure;
}

function shorten(error: Error): void {
  const lines = error.stack?.split('\n') ?? [];
  // A message may have several lines.
  const first = lines.findIndex((line) => /^\s+at /.test(line));
  if (first >= 0) error.stack = lines.slice(0, first + framesKept).join('\n');
}
