import type { Transfer } from '@repo/ledger';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import { inWords, type TransferOutcome, type TransferRequest, type TransferState } from '../contract.ts';
import type { Finding } from './reconcile.ts';
import type { ListedTransfer } from './transfers.ts';

/** What the commands print of transfers, for people. */

/** @param request what was asked for, if it is known: then a refusal names the field that is in its way */
export function outcomeInWords(outcome: TransferOutcome, request?: Parties): string {
  const name = `Transfer ${outcome.reference}`;
  switch (outcome.status) {
    case 'completed':
      return `${name} is completed.`;
    case 'refused':
      // Under the same reference, something else may have been moved before.
      if (outcome.reason.type === ledgerFailureTypes.mismatch) return `${name} is refused: ${outcome.reason.message}.`;
      return `${name} is refused, and nothing was moved: ${byField(outcome.reason.message, request)}.`;
    case 'refunded':
      return `${name} has not arrived, and the money was given back: ${outcome.reason.message}.`;
    case 'rejected':
      return `${name} was rejected by ${outcome.by}, and the money was given back.`;
    case 'expired':
      return `${name} was not approved in time, and the money was given back.`;
    case 'cancelled':
      return `${name} was cancelled; whatever was withdrawn was given back.`;
    case 'waiting-for-approval':
      return [
        `${name} waits until ${outcome.until} for somebody else to approve it; the money is withdrawn.`,
        `  pnpm --filter money-transfer transfer approve ${outcome.reference} --by carol`,
      ].join('\n');
    case 'needs-attention': {
      const { leg, message, isBeingTried } = outcome.problem;
      const next = isBeingTried
        ? 'It is still being tried, and goes on by itself.'
        : `Once that is mended: pnpm --filter money-transfer transfer resolve ${outcome.reference} --by carol`;
      return `${name} needs attention (${leg}): ${message}.\n  ${next}`;
    }
  }
}

type Parties = Pick<TransferRequest, 'from' | 'to'>;

/** The ledger names the account; whoever has asked knows it as `from` or `to`. */
function byField(message: string, { from, to }: Partial<Parties> = {}): string {
  const [, account] = /^(?:There is no account|Account) (\S+)/.exec(message) ?? [];
  if (account === undefined) return message;
  return `${account === to ? 'to: ' : account === from ? 'from: ' : ''}${message}`;
}

/** What Temporal and the ledger know of a transfer. */
export interface TransferStatus {
  state: TransferState;
  money: Transfer | undefined;
  /** What the two do not agree in, if so. */
  disagrees: string | undefined;
}

export function statusInWords({ state, money, disagrees }: TransferStatus): string {
  const { request, status, outcome, approval } = state;
  const decided = approval?.by === undefined ? '' : `, ${approval.decision} by ${approval.by}`;
  return [
    `${requestInWords(request)}; asked for by ${request.requestedBy}${decided}`,
    outcome ? outcomeInWords(outcome, request) : `Transfer ${request.reference} is ${status}.`,
    `In the ledger: ${moneyInWords(money)}.`,
    ...(disagrees === undefined ? [] : [`They do not agree: ${disagrees}. What the ledger says is so.`]),
    ...(disagrees !== undefined && money?.status === 'resting'
      ? ['  It is given back by: pnpm --filter money-transfer transfer reconcile']
      : []),
  ].join('\n');
}

export const requestInWords = (request: Pick<TransferRequest, 'amount' | 'currency' | 'from' | 'to'>): string =>
  `${inWords(request)} from ${request.from} to ${request.to}`;

/** Where the money is, as the ledger has it. */
export function moneyInWords(money: Transfer | undefined): string {
  switch (money?.status) {
    case undefined:
      return 'nothing was withdrawn';
    case 'resting':
      return `${inWords(money)} of ${money.account} rests in suspense`;
    case 'deposited':
      return `${inWords(money)} of ${money.account} was deposited`;
    case 'refunded':
      return `${inWords(money)} was given back to ${money.account}`;
    case 'cancelled':
      return 'cancelled before it was withdrawn';
  }
}

export function listLine({ reference, status, execution, started, startedBy = '-' }: ListedTransfer): string {
  const word = status ?? 'not begun';
  const how = execution === 'RUNNING' || execution === 'COMPLETED' ? word : `${word} (${execution.toLowerCase()})`;
  return `${reference.padEnd(24)}  ${how.padEnd(26)}  ${started.slice(0, 19).replace('T', ' ')}  ${startedBy}`;
}

export function findingInWords(finding: Finding): string {
  if ('books' in finding) return `The books do not agree: ${finding.books}`;
  const { reference, account, action, why } = finding;
  const what = `${reference}: ${inWords(finding)} of ${account}`;
  return action === 'needs attention' ? `${what} needs attention: ${why}` : `${what} ${action}: ${why}`;
}
