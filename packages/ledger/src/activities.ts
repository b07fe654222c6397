import { activityFailure } from '@repo/activity-options/failure';
import { DatabaseUnavailable } from '@repo/operations';
import { ApplicationFailureCategory } from '@temporalio/common';
import { LedgerError } from './errors.ts';
import { ledgerFailureTypes } from './failure-types.ts';
import type { Ledger } from './ledger.ts';
import type * as types from './types.ts';

/**
 * The ledger as activities, to be spread into those of an app. Each may run more than once: the key makes the second time
 * harmless, and it answers the same.
 */
export function createLedgerActivities(ledger: Ledger) {
  return {
    openAccount: (request: types.OpenAccountRequest) => attempt(() => ledger.openAccount(request)),
    freezeAccount: (request: types.StatusRequest) => attempt(() => ledger.freezeAccount(request)),
    unfreezeAccount: (request: types.StatusRequest) => attempt(() => ledger.unfreezeAccount(request)),
    closeAccount: (request: types.StatusRequest) => attempt(() => ledger.closeAccount(request)),
    payIn: (request: types.PayInRequest) => attempt(() => ledger.payIn(request)),
    withdraw: (request: types.WithdrawRequest) => attempt(() => ledger.withdraw(request)),
    deposit: (request: types.DepositRequest) => attempt(() => ledger.deposit(request)),
    refund: (request: types.RefundRequest) => attempt(() => ledger.refund(request)),
    charge: (request: types.ChargeRequest) => attempt(() => ledger.charge(request)),
    refundCharge: (request: types.RefundChargeRequest) => attempt(() => ledger.refundCharge(request)),
  };
}

export type LedgerActivities = ReturnType<typeof createLedgerActivities>;

/** Without `replayed`: what travels must not depend on how often the activity ran. */
async function attempt<Outcome extends object>(call: () => Promise<types.Replayable<Outcome>>): Promise<Outcome> {
  try {
    const { replayed: _, ...outcome } = await call();
    return outcome as unknown as Outcome;
  } catch (error) {
    throw toLedgerFailure(error);
  }
}

/**
 * An `ApplicationFailure` with one of `ledgerFailureTypes`: a no is not retried, no answer is. Any other error is given back
 * as it is: a bug, and retried until it is mended.
 */
export function toLedgerFailure(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable) {
    const { message } = error;
    return activityFailure({ type: ledgerFailureTypes.databaseUnavailable, message, cause: error });
  }
  if (!(error instanceof LedgerError)) return error;
  const { type, message, details } = error;
  return activityFailure({
    type,
    message,
    details: [details],
    nonRetryable: true,
    cause: error,
    // A refusal is an answer: it need not fill the worker's log.
    category: ApplicationFailureCategory.BENIGN,
  });
}
