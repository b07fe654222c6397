import { InvalidInputError, OperatorError } from '@repo/worker-kit';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import {
  differingFields,
  stateQuery,
  type TripOutcome,
  type TripRequest,
  type TripState,
  tripWorkflowId,
} from '../contract.ts';
import { bookTrip } from '../starter.ts';

/**
 * Books a trip, or answers with the outcome of the trip that has this id already, be it open or ended.
 * @throws InvalidInputError if that one has other details
 */
export async function bookOrFind(client: Client, request: TripRequest, startedBy: string): Promise<TripOutcome> {
  try {
    return await bookTrip(client, request, startedBy);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const ended = await tripState(client, request.tripId);
    const differing = differingFields(ended.request, request);
    if (differing.length > 0) {
      const message = `is another one in trip ${request.tripId}, which exists already`;
      throw new InvalidInputError(differing.map((field) => ({ field, message })));
    }
    if (ended.outcome) return ended.outcome;
    throw new OperatorError(
      `Trip ${request.tripId} was ended from outside before its outcome was known.`,
      `See what happened with: pnpm temporal workflow describe --workflow-id ${tripWorkflowId(request.tripId)}`,
    );
  }
}

/** @throws OperatorError if there is no such trip */
export async function tripState(client: Client, tripId: string): Promise<TripState> {
  try {
    return await client.workflow.getHandle(tripWorkflowId(tripId)).query(stateQuery);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new OperatorError(`There is no trip ${tripId}.`, 'Trips are listed by: pnpm temporal workflow list');
  }
}
