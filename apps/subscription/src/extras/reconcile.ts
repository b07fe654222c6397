import { type Ledger, LedgerError, type StatementEntry } from '@repo/ledger';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import { currencies } from '@repo/ledger/money';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type SubscriptionOutcome, statusAttribute, subscriptionWorkflowId } from '../contract.ts';
import { disagreements, wrongInBooks } from './invariants.ts';
import { entriesOf } from './ledger-entries.ts';

export interface ReconcileInput {
  client: Client;
  ledger: Ledger;
  /** The account that is paid, in a currency. */
  merchant(currency: string): string;
  /** What has ended less than that long ago is left alone, in milliseconds: an attempt of it may still be on its way. */
  graceMs: number;
  /** How many have been looked at, told at the end. */
  onLooked?: ((subscriptions: number) => void) | undefined;
}

/** What a person has to look at. */
export type Finding = { subscriptionId: string; problem: Problem; why: string } | { problem: 'books'; why: string };

/**
 * - `ended-from-outside`: its workflow was terminated or timed out, so nothing is charged any more, and nobody was told
 * - `charged-twice`: more than one charge for a period, which the ledger should not have let happen
 * - `disagrees`: it is over, and the ledger has something else than it said
 * - `unknown`: charged within Temporal's retention, and Temporal does not know it
 * - `needs-attention`: open, and waits for a person
 */
export type Problem = 'ended-from-outside' | 'charged-twice' | 'disagrees' | 'unknown' | 'needs-attention';

/** What the ledger has of one subscription. */
interface Charged {
  subscriptionId: string;
  /** How often each period was charged. */
  periods: Map<number, number>;
  /** Business time of the last entry. */
  lastAt: string;
}

/** How many are looked at at once. */
const atOnce = 8;

/**
 * Holds Temporal against the ledger, and changes nothing: money never rests between two accounts here, for each charge and
 * each refund is one posting; what can be left behind is a customer whom nobody charges, or tells, any more.
 *
 * Starts from what the ledger has, and asks Temporal for that very workflow, never the list of workflows, which lags behind;
 * only those that were ended before their first charge are found by that list. A subscription that is open is not touched. What
 * Temporal does not know any more is no finding once it is older than the retention: it has ended, or it would be there.
 */
export async function* reconcile(input: ReconcileInput): AsyncGenerator<Finding> {
  const { client, ledger, onLooked = () => {} } = input;
  const charged = await chargedSubscriptions(input);
  for (const subscriptionId of await endedFromOutside(client)) {
    if (!charged.has(subscriptionId)) charged.set(subscriptionId, { subscriptionId, periods: new Map(), lastAt: '' });
  }
  const keptSince = await oldestKept(client);
  const found: Finding[][] = [];
  const all = [...charged.values()].entries();
  const take = async () => {
    for (const [index, one] of all) found[index] = await look(input, one, keptSince);
  };
  await Promise.all(Array.from({ length: atOnce }, take));
  yield* found.flat();
  onLooked(charged.size);
  for (const why of await wrongInBooks(ledger)) yield { problem: 'books', why };
}

async function look(input: ReconcileInput, one: Charged, keptSince: string): Promise<Finding[]> {
  const { client, ledger, graceMs } = input;
  const { subscriptionId, periods } = one;
  const finding = (problem: Problem, why: string): Finding => ({ subscriptionId, problem, why });
  const twice = [...periods]
    .filter(([, count]) => count > 1)
    .map(([period, count]) => finding('charged-twice', `period ${period} was charged ${count} times`));
  const found = await describe(client, subscriptionId);
  if (!found) {
    if (one.lastAt < keptSince) return twice;
    const why = `charged at ${one.lastAt}, and Temporal has no workflow of it: is this the right namespace?`;
    return [...twice, finding('unknown', why)];
  }
  const { closeTime, execution, status } = found;
  if (closeTime === undefined) {
    if (status !== 'needs-attention') return twice;
    return [...twice, finding('needs-attention', 'it is open, and waits for a person')];
  }
  if (Date.now() - closeTime.getTime() < graceMs) return twice;
  if (execution !== 'COMPLETED') {
    const how = execution.toLowerCase().replace('_', ' ');
    const last = Math.max(0, ...periods.keys());
    const until = last === 0 ? 'nothing was charged' : `period ${last} was the last one charged for`;
    return [...twice, finding('ended-from-outside', `its workflow is ${how} (it was ${status}); ${until}`)];
  }
  const outcome: SubscriptionOutcome = await found.result();
  const disagreeing = await disagreements(ledger, outcome).catch((error: unknown) => {
    if (isUnknownAccount(error)) return [`${error.message}: is this its ledger?`];
    throw error;
  });
  return [...twice, ...disagreeing.map((why) => finding('disagrees', `${outcome.status}, but ${why}`))];
}

/** By the merchant's accounts, through which every charge goes. One entry for each subscription is in memory. */
async function chargedSubscriptions({ ledger, merchant }: ReconcileInput): Promise<Map<string, Charged>> {
  const all = new Map<string, Charged>();
  const add = ({ key, kind, at }: StatementEntry) => {
    const [, subscriptionId, period] = /^subscription:([^:]+):(?:period:(\d+):)?/.exec(key) ?? [];
    if (subscriptionId === undefined) return;
    const one = all.get(subscriptionId) ?? { subscriptionId, periods: new Map<number, number>(), lastAt: at };
    if (kind === 'charge' && period !== undefined) {
      one.periods.set(Number(period), (one.periods.get(Number(period)) ?? 0) + 1);
    }
    one.lastAt = at > one.lastAt ? at : one.lastAt;
    all.set(subscriptionId, one);
  };
  for (const currency of Object.keys(currencies)) {
    try {
      for await (const entry of entriesOf(ledger, merchant(currency))) add(entry);
    } catch (error) {
      // A bank need not keep accounts in all currencies for this merchant.
      if (!isUnknownAccount(error)) throw error;
    }
  }
  return all;
}

const isUnknownAccount = (error: unknown): error is LedgerError =>
  error instanceof LedgerError && error.type === ledgerFailureTypes.unknownAccount;

/** Ids of those that no workflow code has ended. One that has failed was given bad input, and nothing was written. */
async function endedFromOutside(client: Client): Promise<string[]> {
  const query = '`WorkflowType` = "subscription" AND `ExecutionStatus` IN ("Terminated", "TimedOut", "Canceled")';
  const found: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query }))
    found.push(workflowId.replace(/^subscription:/, ''));
  return found;
}

/** Since when Temporal has kept everything, ISO 8601 in UTC; now, if it does not say. */
async function oldestKept(client: Client): Promise<string> {
  const { namespace } = client.options;
  const { config } = await client.workflowService.describeNamespace({ namespace });
  const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  return new Date(Date.now() - seconds * 1000).toISOString();
}

/** Undefined if Temporal knows no such workflow. */
async function describe(client: Client, subscriptionId: string) {
  const handle = client.workflow.getHandle(subscriptionWorkflowId(subscriptionId));
  try {
    const { status, closeTime, typedSearchAttributes } = await handle.describe();
    return {
      execution: status.name,
      closeTime,
      status: typedSearchAttributes.get(statusAttribute) ?? 'not begun',
      result: () => handle.result() as Promise<SubscriptionOutcome>,
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
