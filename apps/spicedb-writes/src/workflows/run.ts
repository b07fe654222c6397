import {
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  isCancellation,
  rootCause,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import {
  failureTypes,
  type PostOutcome,
  type PostState,
  postWorkflowId,
  type Schema,
  stateQuery,
  statusAttribute,
} from '../contract.ts';

/** A person is told that a step keeps failing for that long, while it is still being tried. */
const alarmAfter = '5 minutes';

/** The request, checked. From here on the state can be asked for. @throws ApplicationFailure `InvalidPost`, not retryable */
export function accept<Request extends { post: string }>(schema: Schema<Request>, input: Request) {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw refusal(
      parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`).join('; '),
    );
  }
  // Under another workflow id, a second change of this post could run at the same time.
  const expected = postWorkflowId(parsed.data.post);
  if (workflowInfo().workflowId !== expected) throw refusal(`post: the workflow id of this post must be ${expected}`);
  const state: PostState = { post: parsed.data.post, status: 'changing' };
  setHandler(stateQuery, () => state);
  changeStatus(state, 'changing');
  return { request: parsed.data, state };
}

/** The end of the workflow, in its state, for the Web UI in words, and as what it returns. */
export function conclude<Outcome extends PostOutcome>(state: PostState, outcome: Outcome, words: string): Outcome {
  state.outcome = outcome;
  changeStatus(state, outcome.status);
  setCurrentDetails(words);
  return outcome;
}

/**
 * Takes a step until it succeeds. Every step may be taken twice, so the alarm is the end of a first try that has a
 * time limit: that is how a workflow gets to know what its activity fails of. The second try has none.
 */
export async function untilDone<Result>(
  state: PostState,
  step: string,
  take: (options: ActivityOptions) => Promise<Result>,
): Promise<Result> {
  setCurrentDetails(step);
  try {
    return await take({ summary: step, scheduleToCloseTimeout: alarmAfter });
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    const type = error.cause instanceof ApplicationFailure ? error.cause.type : undefined;
    state.problem = { step, type: type ?? 'Timeout', message: rootCause(error) ?? error.message };
    changeStatus(state, 'needs-attention');
    setCurrentDetails(`${step} keeps failing, and is still being tried: ${state.problem.message}`);
  }
  const result = await take({ summary: step });
  delete state.problem;
  changeStatus(state, 'changing');
  return result;
}

function changeStatus(state: PostState, status: PostState['status']): void {
  state.status = status;
  upsertSearchAttributes([{ key: statusAttribute, value: status }]);
}

const refusal = (message: string) =>
  ApplicationFailure.create({ type: failureTypes.invalidPost, message, nonRetryable: true });
