import { proxySinks, type Sinks, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** What the worker is told of each activation, once it is done and before Temporal hears of it. */
export interface ActivationSinks extends Sinks {
  killPoints: { activated(): void };
}

const { killPoints } = proxySinks<ActivationSinks>();

/** Goes into the workflow bundle beside the workflows. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  internals: [
    {
      activate(input, next) {
        killPoints.activated();
        next(input);
      },
    },
  ],
});
