import { longWork, untilItSucceeds } from '@repo/activity-options';
import {
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  rootCause,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities.ts';
import {
  type Problem,
  problemSignal,
  type Reason,
  type StepReport,
  statusAttribute,
  toldProblem,
} from '../contract.ts';

/** How the workflows of a release ask for things: until there is an answer, and with somebody being told if there is none. */

export const quick = proxyActivities<Activities>(untilItSucceeds);
export const long = proxyActivities<Activities>(longWork);

/** A person is told that a step is not answered for that long, while it is still being asked for. */
const alarmAfter = '5 minutes';

/** What a workflow shows of itself. */
export interface Shown {
  status: string;
  problems: Problem[];
}

/** The business's no, or something that was given up for good. */
export class StepFailed extends Error {
  readonly reason: Reason;
  constructor(reason: Reason) {
    super(reason.message);
    this.reason = reason;
  }
}

/**
 * Asks until there is an answer. The alarm is the end of a first try that has a time limit: that is how a workflow gets to
 * know what its activity fails of. The next try has none.
 * @param where a part of the release, such as `qc`
 * @throws StepFailed for a no that lasts; CancelledFailure
 */
export async function persistently<Answer>(
  shown: Shown,
  where: string,
  words: string,
  call: (options: ActivityOptions) => Promise<Answer>,
): Promise<Answer> {
  setCurrentDetails(words);
  for (let limit: ActivityOptions = { scheduleToCloseTimeout: alarmAfter }; ; limit = {}) {
    try {
      const answer = await call({ summary: words, ...limit });
      await raise(shown, { where });
      return answer;
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      const { cause } = error;
      if (cause instanceof ApplicationFailure && cause.nonRetryable) {
        await raise(shown, { where });
        throw new StepFailed({ type: cause.type ?? 'Failed', message: cause.message });
      }
      // An attempt that fails while it is being cancelled is not tried again: the error alone does not tell.
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure(`cancelled: ${words}`);
      const type = cause instanceof ApplicationFailure ? cause.type : undefined;
      const message = `${words} keeps failing: ${rootCause(error) ?? error.message}`;
      await raise(shown, { where, problem: { type: type ?? 'Timeout', message } });
      setCurrentDetails(`${message}. It is still being tried`);
    }
  }
}

/** {@link persistently}, with a line in the report. */
export async function step<Answer extends { attempts: number }>(
  shown: Shown,
  report: StepReport[],
  { name, where, words }: { name: StepReport['step']; where: string; words: string },
  call: (options: ActivityOptions) => Promise<Answer>,
): Promise<Answer> {
  const began = Date.now();
  const answer = await persistently(shown, where, words, call);
  const { attempts } = answer;
  report.push({ step: name, attempts, milliseconds: Date.now() - began });
  return answer;
}

/** Shows what keeps failing somewhere, or that nothing does any longer; here and to whoever started this workflow. */
async function raise(shown: Shown, { where, problem }: { where: string; problem?: Reason | undefined }): Promise<void> {
  const known = shown.problems.find((one) => one.where === where);
  if (!known && !problem) return;
  shown.problems = shown.problems.filter((one) => one !== known);
  if (problem) shown.problems.push({ where, ...problem });
  showStatus(shown);
  const { parent } = workflowInfo();
  if (!parent) return;
  // Whoever started this may have been ended; that is no reason to stop here.
  await CancellationScope.nonCancellable(() =>
    getExternalWorkflowHandle(parent.workflowId)
      .signal(problemSignal, problem ? { where, problem } : { where })
      .catch(() => {}),
  );
}

/** {@link raise} for what a child tells. Anybody can send a signal: what is none of a child's does nothing. */
export async function hear(shown: Shown, told: unknown): Promise<void> {
  const { data } = toldProblem.safeParse(told);
  if (data) await raise(shown, data);
}

export function changeStatus<State extends Shown>(state: State, status: State['status']): void {
  if (state.status === status) return;
  state.status = status;
  showStatus(state);
}

/** In the search attribute; what needs a person comes first. */
export function showStatus({ status, problems }: Shown): void {
  upsertSearchAttributes([{ key: statusAttribute, value: problems.length > 0 ? 'needs-attention' : status }]);
}
