import type { Reader, Statement, StatementEntry } from '@repo/ledger';
import { formatAmount } from '@repo/ledger/money';

/** What the ledger has of an account, entry by entry. */

/** All entries in the order of business time, with a page of them in memory. */
export async function* entriesOf(ledger: Reader, account: string): AsyncGenerator<StatementEntry> {
  let after: Statement['next'];
  do {
    const page = await ledger.statement({ account, limit: 1_000, ...(after && { after }) });
    yield* page.entries;
    after = page.next;
  } while (after);
}

/** Those of one subscription, oldest first. */
export async function entriesOfSubscription(ledger: Reader, account: string, id: string): Promise<StatementEntry[]> {
  const found: StatementEntry[] = [];
  for await (const entry of entriesOf(ledger, account)) if (isOf(id, entry)) found.push(entry);
  return found;
}

export const isOf = (id: string, { key }: Pick<StatementEntry, 'key'>): boolean =>
  key.startsWith(`subscription:${id}:`);

const kinds: Record<StatementEntry['kind'], string> = {
  'pay-in': 'paid in',
  withdrawal: 'withdrawn',
  deposit: 'deposited',
  refund: 'given back',
  charge: 'charged',
  'charge-refund': 'charge given back',
};

/** `2027-01-31 09:00:00  charged  -29.99  70.01  subscription:s1:period:1:attempt:1`. */
export function entryLine({ at, kind, amount, balance, key }: StatementEntry, currency: string): string {
  const signed = `${amount > 0 ? '+' : ''}${formatAmount(amount, currency)}`;
  const left = formatAmount(balance, currency);
  return `${at.slice(0, 19).replace('T', ' ')}  ${kinds[kind].padEnd(17)}  ${signed.padStart(11)}  ${left.padStart(11)}  ${key}`;
}
