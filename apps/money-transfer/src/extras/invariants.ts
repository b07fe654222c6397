import type { Reader } from '@repo/ledger';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import type { TransferOutcome } from '../contract.ts';

/** What must hold in the books, whatever Temporal says. Tests and scenarios ask the same functions. */

/** What is wrong with the books, in words; nothing may be. Reads every entry. */
export async function wrongInBooks(ledger: Reader): Promise<string[]> {
  const wrong: string[] = [];
  for (const { currency, customers, suspense, external } of await ledger.totals()) {
    const sum = BigInt(customers) + BigInt(suspense) + BigInt(external);
    if (sum !== 0n) wrong.push(`${currency} sums to ${sum} and not to 0`);
  }
  for (const { account, balance, entries } of await ledger.discrepancies()) {
    wrong.push(`${account} has a balance of ${balance}, and entries of ${entries}`);
  }
  for (let after = ''; ; ) {
    const accounts = await ledger.accounts({ after, limit: 1000 });
    for (const { account, balance, overdraft } of accounts) {
      if (balance < -overdraft) wrong.push(`${account} has ${balance}, and its limit is ${-overdraft}`);
    }
    if (accounts.length < 1000) return wrong;
    after = accounts.at(-1)?.account ?? '';
  }
}

/** Where the money of a transfer is; `untouched` if it never left the sender. */
export type Whereabouts = 'untouched' | 'suspense' | 'target' | 'given back';

/** Where the ledger says the money of a transfer is. */
export async function whereIs(ledger: Reader, reference: string): Promise<Whereabouts> {
  const found = await ledger.transfer({ reference });
  const names = { resting: 'suspense', deposited: 'target', refunded: 'given back', cancelled: 'untouched' } as const;
  return found ? names[found.status] : 'untouched';
}

/** Where the money of a transfer may be that has ended so. */
const mayBe: Record<TransferOutcome['status'], readonly Whereabouts[]> = {
  completed: ['target'],
  refused: ['untouched'],
  // Untouched, if a withdrawal that had to be undone never arrived.
  refunded: ['given back', 'untouched'],
  rejected: ['given back'],
  expired: ['given back'],
  cancelled: ['given back', 'untouched'],
  'waiting-for-approval': ['suspense'],
  // A leg that nobody knows of may have happened.
  'needs-attention': ['untouched', 'suspense', 'target', 'given back'],
};

/** Undefined if the ledger agrees with what the workflow says of a transfer; in words, if it does not. */
export async function disagreement(ledger: Reader, outcome: TransferOutcome): Promise<string | undefined> {
  const { reference, status } = outcome;
  const stuck = status === 'needs-attention' && !outcome.problem.isBeingTried;
  // What another request of this reference had withdrawn; it may have been given back since.
  const other = status === 'refused' && outcome.reason.type === ledgerFailureTypes.mismatch;
  const where = await whereIs(ledger, reference);
  const allowed = stuck ? ['suspense'] : other ? [...mayBe[status], 'given back'] : mayBe[status];
  return allowed.includes(where) ? undefined : `${reference} is ${status}, and its money is: ${where}`;
}
