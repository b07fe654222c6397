import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Reach } from './faults.ts';

/**
 * Two of the fault points around every activity, by the activity's name, without a line in the app: `before-transaction`
 * before it runs, and `before-return` when it has done everything and Temporal does not know. `after-commit` lies within,
 * where only the code that commits can call it.
 */
export const faultsAroundActivities =
  (reach: Reach): ActivityInterceptorsFactory =>
  ({ info }) => ({
    inbound: {
      execute: async (input, next) => {
        await reach('before-transaction', info.activityType);
        const answer = await next(input);
        await reach('before-return', info.activityType);
        return answer;
      },
    },
  });
