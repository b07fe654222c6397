import { setMaxListeners } from 'node:events';
import { activityFailure } from '@repo/activity-options/failure';
import { OperatorError } from '@repo/worker-kit';
import { type ApplicationFailure, Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { type Look, type Turn, type TurnInput, takeTurn } from './turn.ts';

/** Well within the heartbeat timeout of workflows.ts. */
const beatEveryMs = 10_000;

/** The one activity of `reconcile`. Safe to run again, and at the same time, as looking is. */
export function createActivities<More extends object>(client: Client, look: Look<More>) {
  return {
    /** @throws ApplicationFailure `TurnFailed`, which is worth another attempt: a store does not answer */
    async reconcileNow(input: TurnInput & More): Promise<Turn> {
      const context = Context.current();
      const signal = context.cancellationSignal;
      // Each call of the client listens, and keeps listening after its end.
      setMaxListeners(0, signal);
      // By the clock: a look may take long before it finds something.
      const beating = setInterval(() => context.heartbeat(), beatEveryMs);
      const turn = client.withAbortSignal(signal, () => takeTurn(look, { ...input, client }, signal));
      try {
        // A worker that is told to stop does not wait for a store that does not answer.
        return await Promise.race([turn, context.cancelled]);
      } catch (cause) {
        if (signal.aborted) return await context.cancelled;
        throw failureOf(cause);
      } finally {
        clearInterval(beating);
      }
    },
  };
}

function failureOf(cause: unknown): ApplicationFailure {
  const type = 'TurnFailed';
  if (!(cause instanceof Error)) return activityFailure({ type, message: String(cause) });
  const message = cause instanceof OperatorError ? `${cause.message} ${cause.nextStep}` : cause.message;
  return activityFailure({ type, message, cause });
}

export type Activities = ReturnType<typeof createActivities>;
