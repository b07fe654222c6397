import { OperatorError } from '@repo/worker-kit/errors';

export { OperatorError };

/** The text a command prints for an error: message and next step for an OperatorError, everything for a bug. */
export function describeError(error: unknown): string {
  if (error instanceof OperatorError) return `${error.message}\n${error.nextStep}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Makes an OperatorError of the system errors that mean a full or read-only disk; gives back anything else as it is. */
export function asOperatorError(error: unknown, doing: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const path = (error as NodeJS.ErrnoException | undefined)?.path;
  const where = path ? ` (${path})` : '';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new OperatorError(`No space left on the disk while ${doing}${where}.`, 'Free some space and run it again.', {
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new OperatorError(
      `Not allowed to write while ${doing}${where}.`,
      'Make that folder writable, or set XDG_CACHE_HOME (programs) or TMPDIR (sockets, temporary data) to one that is.',
      { cause: error },
    );
  }
  return error;
}
