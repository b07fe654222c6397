import { ContinueAsNew, proxySinks, type Sinks, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** What workflow code does, in its order, in the words of `command-words.ts`. */
export interface NoteSinks extends Sinks {
  replayedCode: { does(what: string): void };
}

const { replayedCode } = proxySinks<NoteSinks>();

/** Part of a workflow bundle for replays (`workflowInterceptorModules`): tells what the code does before it is compared. */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const note = <Input, Result>(words: (input: Input) => string) => {
    return (input: Input, next: (input: Input) => Result): Result => {
      replayedCode.does(words(input));
      return next(input);
    };
  };
  return {
    inbound: [
      {
        execute: (input, next) =>
          next(input).then(
            (result) => {
              replayedCode.does('completes');
              return result;
            },
            (error) => {
              if (!(error instanceof ContinueAsNew)) replayedCode.does(`fails: ${error}`);
              throw error;
            },
          ),
      },
    ],
    outbound: [
      {
        scheduleActivity: note(({ activityType }) => `schedules activity ${activityType}`),
        scheduleLocalActivity: note(({ activityType }) => `runs local activity ${activityType}`),
        startTimer: note(({ durationMs }) => `starts a timer of ${durationMs / 1000} s`),
        startChildWorkflowExecution: note(({ workflowType }) => `starts child workflow ${workflowType}`),
        signalWorkflow: note(({ signalName }) => `sends signal ${signalName}`),
        continueAsNew: note(() => 'continues as new'),
      },
    ],
  };
};
