import type { Account, Statement, StatementEntry } from '@repo/ledger';
import { formatAmount } from '@repo/ledger/money';
import { inWords } from '../contract.ts';

/** What is printed of accounts, for people. */

export function accountLine({ account, balance, currency, status, overdraft }: Account): string {
  const limit = overdraft > 0 ? `, may go to ${inWords({ amount: -overdraft, currency })}` : '';
  return `${account.padEnd(24)} ${inWords({ amount: balance, currency }).padStart(18)}  ${status}${limit}`;
}

const kinds: Record<StatementEntry['kind'], string> = {
  'pay-in': 'paid in',
  withdrawal: 'withdrawn',
  deposit: 'deposited',
  refund: 'given back',
  charge: 'charged',
  'charge-refund': 'charge given back',
};

/** A page of a statement; the first one has a heading, the last one the closing balance. */
export function statementPage(
  { account, currency, opening, entries, closing }: Statement,
  { isFirst, isLast }: { isFirst: boolean; isLast: boolean },
): string[] {
  const amount = (minorUnits: number) => formatAmount(minorUnits, currency).padStart(14);
  const signed = (minorUnits: number) => `${minorUnits > 0 ? '+' : ''}${formatAmount(minorUnits, currency)}`;
  const line = (at: string, text: string, change: string, balance: number) =>
    `  ${at.slice(0, 19).replace('T', ' ').padEnd(19)}  ${text.padEnd(18)}  ${change.padStart(14)}  ${amount(balance)}`;
  const rows = entries.map((one) => `${line(one.at, kinds[one.kind], signed(one.amount), one.balance)}  ${one.key}`);
  return [
    ...(isFirst ? [`${account}, in ${currency}`, line('', 'before', '', opening)] : []),
    ...rows,
    ...(isLast ? [line('', 'after', '', closing)] : []),
  ];
}
