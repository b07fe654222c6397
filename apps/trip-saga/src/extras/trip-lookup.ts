import { lookupOf } from '@repo/worker-kit/lookup';
import type { TripOutcome, TripRequest, TripState } from '../contract.ts';
import * as contract from '../contract.ts';

export const { openOrEnded, workerCommand } = lookupOf({
  noun: 'trip',
  workflowId: contract.tripWorkflowId,
  defaultTaskQueue: contract.defaultTaskQueue,
  commands: {
    worker: 'pnpm --filter trip-saga worker',
    list: 'pnpm --filter trip-saga trip list',
    reconcile: 'pnpm --filter trip-saga trip reconcile',
    status: (tripId) => `pnpm --filter trip-saga trip status ${tripId}`,
  },
  request: (input) => input as TripRequest,
  ended: (request, outcome: TripOutcome): TripState => ({
    request,
    status: outcome.status,
    bookings: outcome.status === 'booked' ? outcome.bookings : {},
    outcome,
  }),
});
