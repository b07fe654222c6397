import { ApplicationFailure } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { failureTypes } from '../../contract.ts';
import { ServiceError } from '../../services.ts';
import { type Reconciliation, reconcile } from './reconcile.ts';
import type { Urls } from './stores.ts';

/** The one activity of `reconcileTrips`. Safe to run again, and at the same time: what is undone stays undone. */
export function createActivities(client: Client, urls: Urls) {
  return {
    /** @throws ApplicationFailure `ServiceUnavailable`, which is worth another attempt */
    reconcileNow: async ({ graceMs }: { graceMs: number }): Promise<Reconciliation> => {
      try {
        return await reconcile({ client, urls, graceMs, now: Date.now() });
      } catch (cause) {
        if (!(cause instanceof ServiceError)) throw cause;
        throw ApplicationFailure.create({ type: failureTypes.serviceUnavailable, message: cause.message, cause });
      }
    },
  };
}

export type Activities = ReturnType<typeof createActivities>;
