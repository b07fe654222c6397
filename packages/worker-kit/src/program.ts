import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ApplicationFailure } from '@temporalio/common';
import type { NativeConnection, Worker } from '@temporalio/worker';
import { InvalidInputError, isLeftUnanswered, OperatorError } from './errors.ts';

/** True in the file that was started, false in one that was only imported: `isMain(import.meta.url)`. */
export function isMain(url: string): boolean {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/**
 * Runs a program. What an operator can mend is printed as one message with the next step (exit code 1), bad input as
 * one line a field
 * (exit code 2, also where the workflow refused it); only a bug shows a stack trace.
 */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.exitCode = await printError(error);
  }
}

/** Prints an error as `runProgram` does. Returns the exit code that goes with it. */
export async function printError(error: unknown): Promise<number> {
  if (error instanceof InvalidInputError) {
    console.error(error.message);
    return 2;
  }
  if (error instanceof OperatorError) {
    console.error(`${error.message}\n→ ${error.nextStep}`);
    return 1;
  }
  if (isLeftUnanswered(error)) {
    console.error(
      'The workflow was ended from outside, or reset, before it answered.\n→ Ask again: nothing is done twice.',
    );
    return 1;
  }
  const refusal = await refusalIn(error);
  console.error(refusal?.message ?? error);
  return refusal ? 2 : 1;
}

/** What a workflow or an update was refused with, if that is what the client's error is about. */
export async function refusalIn(error: unknown): Promise<ApplicationFailure | undefined> {
  const { WorkflowFailedError, WorkflowUpdateFailedError } = await import('@temporalio/client');
  const { ApplicationFailure } = await import('@temporalio/common');
  if (!(error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError)) return undefined;
  if (isLeftUnanswered(error)) return undefined;
  return error.cause instanceof ApplicationFailure && error.cause.nonRetryable ? error.cause : undefined;
}

/**
 * Runs a worker until it is told to stop: SIGINT or SIGTERM, or the end of the process that started it. It then takes
 * no new tasks, finishes the ones that it has, and gives back its connection.
 */
export async function runUntilStopped(worker: Worker, connection: NativeConnection): Promise<void> {
  // SIGINT and SIGTERM are the SDK's own; a parent that is gone has to be noticed by the closing of its channel.
  process.once('disconnect', () => worker.getState() === 'RUNNING' && worker.shutdown());
  const done = worker.run();
  process.send?.({ ready: true });
  try {
    await done;
  } finally {
    await connection.close();
    if (process.connected) process.disconnect();
  }
}
