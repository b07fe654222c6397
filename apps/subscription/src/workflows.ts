import {
  allHandlersFinished,
  CancellationScope,
  condition,
  makeContinueAsNewFunc,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import * as contract from './contract.ts';
import { cancelAndWait, recordCancellation, refuseCancellation } from './workflows/cancelling.ts';
import { change, refuseChange } from './workflows/changes.ts';
import { close } from './workflows/closing.ts';
import { isBehind, type Life } from './workflows/life.ts';
import { sendMails } from './workflows/mailing.ts';
import { adjust, refund, refuseAdjustment, refuseRefund } from './workflows/money.ts';
import { accept, open, type RunInput, refuseOtherDetails } from './workflows/opening.ts';
import { takeStep } from './workflows/periods.ts';
import { isUndecided, refuseResolution, resolve } from './workflows/resolving.ts';
import { view } from './workflows/view.ts';

/** What is only this run's: how much it has done, and how many messages wait to be judged until it is known what counts. */
interface Run {
  progress: number;
  waiting: number;
  isEnding: boolean;
}

/**
 * A subscription, from the trial to its end: years, in one workflow of many runs.
 *
 * Fails with `InvalidSubscription` on bad input; every other ending is an outcome.
 */
export async function subscription(input: RunInput): Promise<contract.SubscriptionOutcome> {
  const life = accept(input);
  const run: Run = { progress: 0, waiting: 0, isEnding: false };
  listen(life, run);
  // Temporal's own cancel is one more way to say it. Nothing in here is cut off by it.
  CancellationScope.current().cancelRequested.catch(() => recordCancellation(life, {}));
  return CancellationScope.nonCancellable(() => Promise.race([sendMails(life), live(life, run)]));
}

async function live(life: Life, run: Run): Promise<contract.SubscriptionOutcome> {
  if (!life.terms && !(await open(life))) return end(life, 'refused');
  for (;;) {
    if (isLong(life, run)) await goOnAsNew(life, run);
    const before = JSON.stringify(life.period);
    const status = await takeStep(life, () => isLong(life, run));
    if (status) {
      run.isEnding = run.waiting > 0 && patched('messages-first');
      // What was asked for while it was open belongs to it: after a reset, all that ever was is asked for at the beginning.
      if (run.isEnding) await condition(() => run.waiting === 0);
      return end(life, status);
    }
    if (JSON.stringify(life.period) !== before) run.progress += 1;
  }
}

async function end(life: Life, status: contract.ClosedStatus): Promise<contract.SubscriptionOutcome> {
  await close(life, status);
  await condition(() => life.outbox.length === 0 && allHandlersFinished());
  return view(life) as contract.SubscriptionOutcome;
}

function listen(life: Life, run: Run): void {
  /** Counted, so that a run of nothing but messages is not too long either. */
  const counted = <Args extends unknown[], Answer>(handler: (...args: Args) => Promise<Answer>) => {
    return (...args: Args): Promise<Answer> => {
      run.progress += 1;
      return handler(...args);
    };
  };
  /** What cannot be judged yet is judged when it can be: after a reset, Temporal asks again at the very beginning. */
  const judged = <Asked, Answer>(
    refuse: (life: Life, asked: unknown) => void,
    handle: (life: Life, asked: unknown) => Promise<Answer>,
    isTooEarly = isBehind,
  ) => {
    const later = async (asked: Asked): Promise<Answer> => {
      const wasCancelled = life.cancellation !== undefined;
      if (!wasCancelled) run.waiting += 1;
      try {
        await condition(() => !isTooEarly(life) || (run.isEnding && !wasCancelled));
        const { cancellation: _, ...uncancelled } = life;
        refuse(wasCancelled ? life : uncancelled, asked);
        return await handle(life, asked);
      } finally {
        if (!wasCancelled) run.waiting -= 1;
      }
    };
    const handler = counted((asked: Asked) =>
      isTooEarly(life) && patched('judged-later') ? later(asked) : handle(life, asked),
    );
    return [handler, { validator: (asked: Asked) => refuse(life, asked) }] as const;
  };
  setHandler(contract.stateQuery, () => view(life));
  setHandler(
    contract.subscribedUpdate,
    counted(async () => {
      await condition(() => life.status !== 'starting');
      return view(life);
    }),
    { validator: (other?: contract.SubscriptionInput) => refuseOtherDetails(life, other) },
  );
  const changing = (kind: contract.Change['kind']) =>
    judged(
      (one, asked) => refuseChange(one, kind, asked),
      (one, asked) => change(one, kind, asked),
    );
  setHandler(contract.changePriceUpdate, ...changing('price'));
  setHandler(contract.changePeriodUpdate, ...changing('period'));
  setHandler(contract.adjustUpdate, ...judged(refuseAdjustment, adjust));
  setHandler(contract.refundUpdate, ...judged(refuseRefund, refund));
  setHandler(contract.resolveUpdate, ...judged(refuseResolution, resolve, isUndecided));
  setHandler(contract.cancelSignal, (asked) => recordCancellation(life, asked));
  setHandler(
    contract.cancelUpdate,
    counted((asked?: contract.Cancel) => cancelAndWait(life, asked)),
    { validator: (asked?: contract.Cancel) => refuseCancellation(life, asked) },
  );
}

/** A run has to do something before the next one begins, however short they are to be. */
function isLong({ request }: Life, { progress }: { progress: number }): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return progress > 0 && (continueAsNewSuggested || historyLength >= (request.eventsPerRun ?? 1_000));
}

/**
 * Nothing is lost: all is in `life`, and mails that are not out are sent by the next run, under the same keys. If a message is
 * not done with in time, it is put off. A cancellation waits for none of that.
 */
async function goOnAsNew(life: Life, run: { progress: number }): Promise<void> {
  const isQuiet = () => allHandlersFinished() && life.outbox.length === 0;
  // Nor does what has fallen due, for which some messages wait.
  const isDue = patched('due-first') && isBehind(life);
  if (!isDue) await condition(() => isQuiet() || life.cancellation !== undefined, '10 seconds');
  run.progress = 0;
  if (!allHandlersFinished()) return;
  const { request, ...carried } = life;
  // Said, and not left to the server: without them, nobody would find the subscription.
  const { typedSearchAttributes } = workflowInfo();
  await makeContinueAsNewFunc<typeof subscription>({ typedSearchAttributes })({ ...request, carried });
}
