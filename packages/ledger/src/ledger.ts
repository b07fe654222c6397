import { statement } from '@repo/operations';
import type { Pool } from 'pg';
import * as check from './check.ts';
import { invalid, LedgerError } from './errors.ts';
import { type LedgerFailureType, ledgerFailureTypes } from './failure-types.ts';
import { createReader, type Reader } from './reader.ts';
import type * as types from './types.ts';

type Once<Request, Outcome> = (request: Request) => Promise<types.Replayable<Outcome>>;

/**
 * Books in double entry. Every call is one transaction in one round trip, and has its effect at most once per key: called
 * again, it answers what it answered before (`replayed`), a refusal included. What is meant to be tried anew, such as a charge
 * once there is money, gets a key for each try.
 *
 * All of them throw `LedgerError` if the answer is no, and `DatabaseUnavailable` if there is none; then call again with the
 * same key.
 */
export interface Ledger extends Reader {
  /** Refuses with `accountExists`. */
  openAccount: Once<types.OpenAccountRequest, types.Opening>;
  /** A frozen account neither gives nor takes; a refund is refused too, and its money stays where it is. */
  freezeAccount: Once<types.StatusRequest, types.StatusChange>;
  unfreezeAccount: Once<types.StatusRequest, types.StatusChange>;
  /** For good. Refuses with `accountNotEmpty`, also while money of the account rests in suspense. */
  closeAccount: Once<types.StatusRequest, types.StatusChange>;
  /** Money from outside reaches the account. */
  payIn: Once<types.PayInRequest, types.Posting>;
  /**
   * From the account into suspense, where it rests under the reference. At most one for each reference. If the target could
   * not take it, this is refused, and `details` name that `account`.
   */
  withdraw: Once<types.WithdrawRequest, types.Posting>;
  /** What rests under the reference, all of it, reaches the account. Refuses with `nothingInSuspense` and `wrongTarget`. */
  deposit: Once<types.DepositRequest, types.Posting>;
  /**
   * What rests under the reference goes back to where it came from; a withdrawal that has not arrived is cancelled and
   * refused when it does. Refuses with `nothingInSuspense` once it was deposited.
   */
  refund: Once<types.RefundRequest, types.Refund>;
  /** From one account to another in one posting. Refuses with `alreadySettled`. */
  charge: Once<types.ChargeRequest, types.Posting>;
  /** Gives back the whole charge, once; a charge that has not arrived is cancelled and refused when it does. */
  refundCharge: Once<types.RefundChargeRequest, types.Refund>;
}

/** @param pool of the application's role, whose search_path is the ledger's schema */
export function createLedger(pool: Pool): Ledger {
  const call = async <Outcome extends object>(operation: string, { key, at }: types.Keyed, ...args: unknown[]) => {
    const values = [check.key(key), check.instant('at', at), ...args];
    const places = values.map((_, index) => `$${index + 1}`).join(', ');
    const [row] = await statement<{ answer: Answer<Outcome> }>(
      pool,
      `SELECT ${operation}(${places}) AS answer`,
      values,
    );
    if (!row) throw new Error(`${operation} did not answer`);
    return settled(key, row.answer);
  };
  const changeStatus = (status: types.AccountStatus) => async (request: types.StatusRequest) =>
    call<types.StatusChange>('change_status', request, check.account('account', request.account), status);

  return {
    ...createReader(pool),
    openAccount: async (request) => {
      const { account, currency, overdraft = 0 } = request;
      return call<types.Opening>(
        'open_account',
        request,
        check.account('account', account),
        check.currency(currency),
        check.integer('overdraft', overdraft, 0, Number.MAX_SAFE_INTEGER),
      );
    },
    freezeAccount: changeStatus('frozen'),
    unfreezeAccount: changeStatus('open'),
    closeAccount: changeStatus('closed'),
    payIn: async (request) =>
      call<types.Posting>('pay_in', request, check.account('account', request.account), ...money(request)),
    withdraw: async (request) => {
      const { reference, account, target = null, details = null } = request;
      return call<types.Posting>(
        'withdraw',
        request,
        check.reference(reference),
        check.account('account', account),
        ...money(request),
        target === null ? null : check.account('target', target),
        details === null ? null : check.details(details),
      );
    },
    deposit: async (request) => {
      const { reference, account } = request;
      return call<types.Posting>('deposit', request, check.reference(reference), check.account('account', account));
    },
    refund: async (request) => call<types.Refund>('refund', request, check.reference(request.reference)),
    charge: async (request) => {
      const [from, to] = [check.account('from', request.from), check.account('to', request.to)];
      if (from === to) throw invalid('to', 'must be another account than from');
      const settles = request.settles === undefined ? [] : [check.name('settles', request.settles, 200)];
      return call<types.Posting>('charge', request, from, to, ...money(request), ...settles);
    },
    refundCharge: async (request) => {
      const charge = check.name('charge', request.charge, 500);
      if (charge === request.key) throw invalid('key', 'must be another one than that of the charge');
      return call<types.Refund>('refund_charge', request, charge);
    },
  };
}

const money = ({ amount, currency }: types.Money) => [check.amount(amount), check.currency(currency)];

/** What the functions in migrations/0004_operations.sql answer. */
type Answer<Outcome> =
  | { status: 'done'; outcome: Outcome; replayed: boolean }
  | { status: 'refused'; outcome: Pick<LedgerError, 'type' | 'message' | 'details'>; replayed: boolean }
  | { status: 'mismatch' };

function settled<Outcome extends object>(key: string, answer: Answer<Outcome>): types.Replayable<Outcome> {
  if (answer.status === 'mismatch') {
    throw new LedgerError(ledgerFailureTypes.mismatch, `Another request was made under the key ${key}`, { key });
  }
  if (answer.status === 'refused') {
    const { type, message, details } = answer.outcome;
    throw new LedgerError(type as LedgerFailureType, message, details);
  }
  return { ...answer.outcome, replayed: answer.replayed };
}
