import { ChildWorkflowFailure, type ChildWorkflowOptions, isCancellation, sleep } from '@temporalio/workflow';
import { failureTypes, type Reason, WorkflowExecutionAlreadyStartedError } from '../contract.ts';

/**
 * Runs a child to its end, also while it is being cancelled: it clears up and says what it has left. If its parent is ended
 * from outside, it is cancelled.
 * @param run `executeChild` with these options
 * @returns its ending, or why it has none
 */
export async function runChild<Ending>(
  workflowId: string,
  run: (options: ChildWorkflowOptions & { workflowId: string }) => Promise<Ending>,
): Promise<{ ending: Ending } | { reason: Reason }> {
  const options = {
    workflowId,
    parentClosePolicy: 'REQUEST_CANCEL',
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  } as const;
  for (;;) {
    try {
      return { ending: await run(options) };
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) {
        // Of a run of this workflow before it was reset: that one has to end first.
        await sleep('5 seconds', { summary: `until an earlier ${workflowId} has ended` });
        continue;
      }
      if (isCancellation(error) || !(error instanceof ChildWorkflowFailure)) throw error;
      const message = `${workflowId} was ended from outside: ${error.cause?.message ?? error.message}`;
      return { reason: { type: failureTypes.endedFromOutside, message } };
    }
  }
}
