import type { Ledger, StatementEntry } from '@repo/ledger';
import type { MailKind, SubscriptionState } from '../contract.ts';

/** What must hold, whatever Temporal says. Tests and scenarios ask the same functions. */

/** What is wrong with the books of the ledger, in words; nothing may be. Reads every entry. */
export async function wrongInBooks(ledger: Ledger): Promise<string[]> {
  const wrong: string[] = [];
  for (const { currency, customers, suspense, external } of await ledger.totals()) {
    const sum = BigInt(customers) + BigInt(suspense) + BigInt(external);
    if (sum !== 0n) wrong.push(`${currency} sums to ${sum} and not to 0`);
  }
  for (const { account, balance, entries } of await ledger.discrepancies()) {
    wrong.push(`${account} has a balance of ${balance}, and entries of ${entries}`);
  }
  return wrong;
}

/** An entry of a customer's account that a subscription has caused. */
export interface Booked {
  key: string;
  what: 'charge' | 'refund' | 'adjustment';
  /** Of a charge and of a refund. */
  period?: number;
  /** Minor units; positive if the customer has paid it. */
  amount: number;
  /** Business time, ISO 8601 in UTC. */
  at: string;
}

/** All that a subscription has caused on the customer's account, oldest first. */
export async function booked(ledger: Ledger, account: string, subscriptionId: string): Promise<Booked[]> {
  const prefix = `subscription:${subscriptionId}:`;
  const found: Booked[] = [];
  for (let after: { at: string; id: number } | undefined; ; ) {
    const page = await ledger.statement({ account, limit: 1000, ...(after && { after }) });
    found.push(...page.entries.filter(({ key }) => key.startsWith(prefix)).map((entry) => toBooked(entry, prefix)));
    if (!page.next) return found;
    after = page.next;
  }
}

function toBooked({ key, amount, at }: StatementEntry, prefix: string): Booked {
  const [kind, name, step] = key.slice(prefix.length).split(':');
  const common = { key, amount: -amount, at };
  if (kind !== 'period') return { ...common, what: 'adjustment' };
  return { ...common, what: step === 'refund' ? 'refund' : 'charge', period: Number(name) };
}

/**
 * Where the ledger says otherwise than the subscription, in words; nothing may be. Each total shown is the sum of its entries,
 * each period was charged for at most once, in order, and none that was due after the cancellation has cost anything. To be
 * asked while nothing is on its way.
 */
export async function disagreements(ledger: Ledger, state: SubscriptionState): Promise<string[]> {
  const { accounts, subscriptionId, totals } = state;
  if (!accounts) return totals.net === 0 ? [] : [`${subscriptionId} never stood, and shows ${totals.net}`];
  const all = await booked(ledger, accounts.customer, subscriptionId);
  const sum = (wanted: (one: Booked) => boolean) => all.filter(wanted).reduce((total, { amount }) => total + amount, 0);
  const inLedger = {
    charged: sum(({ what }) => what === 'charge'),
    // Never −0.
    refunded: 0 - sum(({ what }) => what === 'refund'),
    credited: 0 - sum(({ what, amount }) => what === 'adjustment' && amount < 0),
    debited: sum(({ what, amount }) => what === 'adjustment' && amount > 0),
    net: sum(() => true),
  };
  const wrong = (Object.keys(inLedger) as (keyof typeof inLedger)[])
    .filter((name) => inLedger[name] !== totals[name])
    .map((name) => `${subscriptionId} shows ${totals[name]} as ${name}, and the ledger has ${inLedger[name]}`);
  const charged = all.filter(({ what }) => what === 'charge').map(({ period }) => period);
  const expected = charged.map((_, index) => index + 1);
  if (charged.join() !== expected.join()) wrong.push(`${subscriptionId} was charged for the periods ${charged.join()}`);
  if (charged.length !== state.periodsPaid) {
    wrong.push(`${subscriptionId} shows ${state.periodsPaid} paid periods, and was charged for ${charged.length}`);
  }
  return [...wrong, ...chargedAfterCancellation(state, all)];
}

/** By the boundaries that the state still knows: those of the period that was open when it was cancelled. */
function chargedAfterCancellation(
  { cancellation, period, plan, subscriptionId, owed, resolved = [] }: SubscriptionState,
  all: Booked[],
) {
  if (!cancellation || !period || typeof plan === 'string') return [];
  const due = plan.billing === 'in-advance' ? period.startsAt : period.endsAt;
  const isOwed = [...owed, ...resolved].some((one) => one.period === period.number);
  const paid = all.filter((one) => one.period === period.number).reduce((total, { amount }) => total + amount, 0);
  if (due < cancellation.effectiveAt || paid === 0 || isOwed) return [];
  return [`${subscriptionId} was cancelled at ${cancellation.effectiveAt}, and paid for period ${period.number}`];
}

/** The last mail that a subscription in this state must have caused. */
const lastMails: Partial<Record<SubscriptionState['status'], MailKind>> = {
  ended: 'subscription-ended',
  cancelled: 'subscription-cancelled',
  'trial-cancelled': 'trial-cancelled',
  unpaid: 'subscription-unpaid',
};

/**
 * What is wrong with the mails that a subscription has caused, in words; nothing may be: first the welcome, last the one mail
 * that says how it ended, if it has, and between them nothing but declined payments.
 * @param kinds of the mails that were delivered, oldest first; one that was delivered twice counts once
 */
export function wrongInMails(state: SubscriptionState, kinds: string[]): string[] {
  const { subscriptionId, status, accounts, mails } = state;
  const last = lastMails[status];
  const all = [...kinds, ...mails.undelivered.map(({ mail }) => mail), ...mails.pending];
  const between = all.filter((kind) => kind !== 'welcome' && kind !== last);
  const wrong = between
    .filter((kind) => kind !== 'payment-declined')
    .map((kind) => `${subscriptionId} is ${status}, and has caused the mail ${kind}`);
  const count = (kind: string) => all.filter((one) => one === kind).length;
  for (const [kind, times] of [['welcome', accounts ? 1 : 0], ...(last ? [[last, 1] as const] : [])] as const) {
    if (count(kind) !== times)
      wrong.push(`${subscriptionId} has caused the mail ${kind} ${count(kind)} times, not ${times}`);
  }
  return wrong;
}
