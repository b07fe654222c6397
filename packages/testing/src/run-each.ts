import { AsyncLocalStorage } from 'node:async_hooks';
import { isDeepStrictEqual } from 'node:util';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInterceptorsFactory } from '@temporalio/worker';

/**
 * How an activity runs more than once, as it may in production:
 *
 * - `twice`: once more after it has answered, as after a reply that was lost
 * - `atOnce`: two attempts side by side, as when one was thought dead
 * - `late`: the first attempt is lost to Temporal, a newer one answers, and only then does the first have its effect
 * - `{ late, after }`: the first call of `late` in a workflow is lost for good, and has its effect only when the
 *   compensation `after` has done its work
 */
export type Repetition = 'twice' | 'atOnce' | 'late' | { late: string; after: string };

export interface RunEach {
  /** For `Worker.create({ interceptors: { activity: [interceptor] } })`. */
  interceptor: ActivityInterceptorsFactory;
  /** Activities that ran as was asked for, to a final answer each time. One that was only ever tried is not among them. */
  repeated: ReadonlySet<string>;
  /** Where one activity answered the same call in two ways; in words. There must be none. */
  differences: readonly string[];
  /** Resolves when no activity runs any more: one that its workflow does not wait for may be at it still. */
  idle(): Promise<void>;
}

/** The type of the failure with which an attempt is lost to Temporal. */
const lostAttempt = 'SimulatedLostAttempt';

/** What will not be another thing at the next attempt: an answer, or a refusal for good. */
type Final = { answer: unknown } | { refused: unknown };
/** One run of the activity, in the context of the attempt that made it. */
type Run = () => Promise<Final>;
type Context = Parameters<ActivityInterceptorsFactory>[0];

/**
 * Runs every activity more than once, and gives Temporal the newest answer. Failures that Temporal would retry are no
 * answer and are thrown on; differing answers are collected. What it leaves in the stores is for the test to look at.
 */
export function runEach(repetition: Repetition): RunEach {
  const repeated = new Set<string>();
  const differences: string[] = [];
  const underWay = new Set<Promise<Final>>();
  /** Lost attempts that have not had their effect so far, by what releases them. */
  const lost = new Map<string, Run>();

  const compare = ({ info }: Context, first: Final, second: Final) => {
    repeated.add(info.activityType);
    if (isDeepStrictEqual(comparable(first), comparable(second))) return;
    const call = `${info.activityType} (${info.workflowExecution?.workflowId ?? info.activityId})`;
    differences.push(`${call}: ${inWords(first)}, and when it ran again: ${inWords(second)}`);
  };

  const twice = async (context: Context, run: Run) => {
    const first = await run();
    const second = await run();
    compare(context, first, second);
    return second;
  };

  const atOnce = async (context: Context, run: Run) => {
    const both = await Promise.allSettled([run(), run()]);
    const [first, second] = both.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
    const failed = both.find((one) => one.status === 'rejected');
    if (!first || !second) throw failed?.reason;
    compare(context, first, second);
    return second;
  };

  const late = async (context: Context, run: Run) => {
    const { info } = context;
    const call = `${info.workflowExecution?.runId}/${info.activityId}`;
    // Temporal would make no newer attempt; what is left of the case is that it happens twice.
    if (info.retryPolicy?.maximumAttempts === 1) return twice(context, run);
    if (info.attempt === 1) {
      lost.set(call, AsyncLocalStorage.bind(run));
      throw simulated('lost, to have its effect after the next attempt');
    }
    const answer = await run();
    const zombie = await lost.get(call)?.();
    lost.delete(call);
    // Being refused is as good for a zombie as being answered like the others.
    if (zombie && 'refused' in zombie) repeated.add(info.activityType);
    else if (zombie) compare(context, answer, zombie);
    return answer;
  };

  const lateAfter = async ({ info }: Context, run: Run, forward: string, compensation: string) => {
    const workflow = `${info.workflowExecution?.runId}`;
    if (info.activityType === forward && !lost.has(workflow)) {
      lost.set(workflow, AsyncLocalStorage.bind(run));
      throw simulated('lost for good, to have its effect after its compensation', true);
    }
    const answer = await run();
    const zombie = info.activityType === compensation ? lost.get(workflow) : undefined;
    if (zombie) {
      await zombie();
      repeated.add(forward);
      // Kept as a mark: only the first call of a workflow is lost.
      lost.set(workflow, async () => answer);
    }
    return answer;
  };

  const repeat = async (context: Context, run: Run): Promise<Final> => {
    if (repetition === 'twice') return twice(context, run);
    if (repetition === 'atOnce') return atOnce(context, run);
    if (repetition === 'late') return late(context, run);
    return lateAfter(context, run, repetition.late, repetition.after);
  };

  const interceptor: ActivityInterceptorsFactory = (context) => ({
    inbound: {
      execute: async (input, next) => {
        // As from Temporal, each attempt gets arguments of its own.
        const again = (): ActivityExecuteInput => ({ ...input, args: structuredClone(input.args) });
        const execution = repeat(context, () => finalOf(context, () => next(again())));
        underWay.add(execution);
        const final = await execution.finally(() => underWay.delete(execution));
        if ('refused' in final) throw final.refused;
        return final.answer;
      },
    },
  });
  const idle = async () => {
    while (underWay.size > 0) await Promise.allSettled(underWay);
  };
  return { interceptor, repeated, differences, idle };
}

/** @throws whatever Temporal would retry, or would take for a cancellation */
async function finalOf({ info }: Context, call: () => Promise<unknown>): Promise<Final> {
  try {
    return { answer: await call() };
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    const named = info.retryPolicy?.nonRetryableErrorTypes?.includes(error.type ?? '');
    if (!error.nonRetryable && !named) throw error;
    return { refused: error };
  }
}

/** Compares what travels: the answer as JSON, the type of a refusal and not its words. */
const comparable = (final: Final): unknown =>
  'answer' in final
    ? { answer: JSON.parse(JSON.stringify(final.answer ?? null)) }
    : { refused: (final.refused as ApplicationFailure).type };

const inWords = (final: Final): string =>
  'answer' in final
    ? `answered ${JSON.stringify(final.answer)}`
    : `refused with ${(final.refused as ApplicationFailure).type}: ${(final.refused as Error).message}`;

const simulated = (message: string, nonRetryable = false) =>
  ApplicationFailure.create({
    type: lostAttempt,
    message,
    nonRetryable,
    category: ApplicationFailureCategory.BENIGN,
  });
