import { untilItSucceeds } from '@repo/activity-options';
import {
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  proxyActivities,
  rootCause,
  setCurrentDetails,
} from '@temporalio/workflow';
import type { Activities } from '../activities.ts';
import { inWords, type Leg, legKey, type Reason, type TransferState } from '../contract.ts';
import { answer, goOn } from './transfer-state.ts';

/**
 * The legs of a transfer. Each is asked for until the ledger has answered, and throws only if it is cancelled meanwhile:
 * then nobody knows whether it has happened.
 */

const activities = proxyActivities<Activities>(untilItSucceeds);

/** A person is told that a leg is not answered for that long, while it is still being asked for. */
const alarmAfter = '5 minutes';

/** The ledger's no. `restsAs` says what had become of the money, if that is why. */
export interface Refusal extends Reason {
  restsAs?: string | undefined;
}

/** From the sender into suspense. @returns why the ledger refused; undefined if it is done */
export function withdraw(state: TransferState): Promise<Refusal | undefined> {
  const { reference, from, to, amount, currency, requestedBy, approvalWithin } = state.request;
  const key = legKey.withdraw(reference);
  // All of the request: the ledger still knows it when Temporal has forgotten, and refuses another one of this reference.
  const details = { to, requestedBy, approvalWithin };
  return take(state, 'withdraw', `Withdrawing ${inWords(state.request)} from ${from}`, (options) =>
    activities.withdraw.executeWithOptions(options, [
      { key, at: now(), reference, account: from, target: to, amount, currency, details },
    ]),
  );
}

/** From suspense to the target. @returns why the ledger refused; undefined if it is done */
export function deposit(state: TransferState): Promise<Refusal | undefined> {
  const { reference, to } = state.request;
  const key = legKey.deposit(reference, state.attempt);
  return take(state, 'deposit', `Depositing ${inWords(state.request)} to ${to}`, (options) =>
    activities.deposit.executeWithOptions(options, [{ key, at: now(), reference, account: to }]),
  );
}

/**
 * From suspense back to the sender. A withdrawal that has not arrived so far is refused when it does.
 * @returns why the ledger refused; undefined if the sender has the money
 */
export function refund(state: TransferState): Promise<Refusal | undefined> {
  const { reference, from } = state.request;
  const key = legKey.refund(reference, state.attempt);
  return take(state, 'refund', `Giving ${inWords(state.request)} back to ${from}`, (options) =>
    activities.refund.executeWithOptions(options, [{ key, at: now(), reference }]),
  );
}

/** Business time is the workflow's. */
const now = () => new Date().toISOString();

/**
 * The alarm is the end of a first try that has a time limit: that is how a workflow gets to know what its activity fails
 * of. The next try has none, and the same key.
 */
async function take(
  state: TransferState,
  leg: Leg,
  words: string,
  call: (options: ActivityOptions) => Promise<unknown>,
): Promise<Refusal | undefined> {
  setCurrentDetails(words);
  const before = state.status === 'giving-back' ? state.status : 'transferring';
  for (let limit: ActivityOptions = { scheduleToCloseTimeout: alarmAfter }; ; limit = {}) {
    try {
      await call({ summary: words, ...limit });
      calm(state, before);
      return undefined;
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      const refusal = refusalIn(error);
      if (refusal) {
        calm(state, before);
        return refusal;
      }
      // An attempt that fails while it is being cancelled is not tried again: the error alone does not tell.
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure(`cancelled: ${words}`);
      alarm(state, leg, words, error);
    }
  }
}

function alarm(state: TransferState, leg: Leg, words: string, error: ActivityFailure): void {
  const { reference } = state.request;
  const type = error.cause instanceof ApplicationFailure ? error.cause.type : undefined;
  const message = rootCause(error) ?? error.message;
  const problem = { leg, type: type ?? 'Timeout', message, isBeingTried: true };
  const details = `${words} keeps failing, and is still being tried: ${message}`;
  answer(state, { status: 'needs-attention', reference, problem }, details);
}

function calm(state: TransferState, before: 'transferring' | 'giving-back'): void {
  if (state.status === 'needs-attention') goOn(state, before);
}

/** The activities mark as not retryable what the ledger has answered, and nothing else. */
function refusalIn({ cause }: ActivityFailure): Refusal | undefined {
  if (!(cause instanceof ApplicationFailure && cause.nonRetryable)) return undefined;
  const [details] = (cause.details ?? []) as { status?: string }[];
  return { type: cause.type ?? 'Refused', message: cause.message, restsAs: details?.status };
}
