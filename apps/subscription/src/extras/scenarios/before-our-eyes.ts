import { setTimeout as pause } from 'node:timers/promises';
import { BrokenPromise, expectSame, type Session, say, until, type Watched, watch } from '@repo/dev-stack';
import { formatAmount } from '@repo/ledger/money';
import {
  catalogue,
  isClosed,
  type MailKind,
  type Plan,
  type PlanInput,
  type Status,
  type SubscriptionInput,
  type SubscriptionState,
  subscriptionWorkflowId,
} from '../../contract.ts';
import { mails } from '../../services/mails.ts';
import type { subscription } from '../../workflows.ts';
import type { Demo } from '../demo.ts';
import { disagreements, wrongInBooks } from '../invariants.ts';
import { entriesOfSubscription, entryLine } from '../ledger-entries.ts';
import { sameByHand } from '../same-by-hand.ts';
import { subscribeOrFind, subscriptionState } from '../subscriptions.ts';

/** Whoever signs the customers of the scenarios up, and changes things for them. */
export const clerk = 'ada';

/** A customer that nobody else has: name, e-mail address and account are of its id. */
export interface Subscriber {
  id: string;
  email: string;
}

/** @param has minor units of EUR */
export async function aCustomer(session: Session, demo: Demo, has = 10_000): Promise<Subscriber> {
  const { ledger, customers } = demo;
  const id = session.newId('alice');
  const email = `${id}@example.com`;
  const at = new Date().toISOString();
  await ledger.openAccount({ key: `customer:${id}:account`, at, account: id, currency: 'EUR' });
  if (has > 0) await payIn(demo, id, has);
  await customers.put({ id, name: 'Alice', email, account: id, timeZone: 'Europe/Vienna' });
  demo.added.push(id);
  say(session, `${id} <${email}> has ${formatAmount(has, 'EUR')} EUR`);
  return { id, email };
}

/** Money from outside. */
export function payIn({ ledger }: Demo, account: string, amount: number) {
  const at = new Date().toISOString();
  return ledger.payIn({ key: `pay-in:${account}:${at}`, at, account, amount, currency: 'EUR' });
}

/** 9.99 EUR in advance, without a trial, every month: what is to be seen of it is at its beginning. */
export const monthly = {
  name: 'demo-monthly',
  trial: 'none',
  period: { months: 1 },
  billing: 'in-advance',
  price: 999,
  currency: 'EUR',
} as const satisfies PlanInput;

/** The same with periods of so many seconds. */
export const everySeconds = (seconds: number): PlanInput => ({
  ...monthly,
  name: `demo-${seconds}-seconds`,
  period: { seconds },
});

/** A subscription of its own. */
export const aSubscription = (session: Session, { id }: Subscriber, plan: string | PlanInput): SubscriptionInput => ({
  subscriptionId: session.newId('sub'),
  customer: id,
  plan,
});

/**
 * Subscribes while the workflow's steps, the mails and the ledger's entries are shown as they come, and says how to do the same
 * by hand.
 * @param play breaks something, or looks, and resolves with how the subscription is at the end of the scenario
 */
export async function beforeOurEyes(
  session: Session,
  demo: Demo,
  request: SubscriptionInput,
  play: (watched: Watched, subscribed: Promise<SubscriptionState>) => Promise<SubscriptionState>,
): Promise<SubscriptionState> {
  const { client } = demo;
  const workflowId = subscriptionWorkflowId(request.subscriptionId);
  const plan = typeof request.plan === 'string' ? request.plan : request.plan.name;
  session.print(`  ${request.customer} subscribes to ${plan}; workflow ${workflowId}`);
  session.print('');
  const state = await watch(session, client, workflowId, async (watched) => {
    const news = follow(demo, request, watched);
    const subscribed = subscribeOrFind(client, request, clerk);
    // Whoever plays may not wait for it, as when the workflow is terminated.
    subscribed.catch(() => {});
    try {
      const state = await play(watched, subscribed);
      // Its last mail may still be on its way: the workflow does not end before that.
      return isClosed(state.status) ? await client.workflow.getHandle<typeof subscription>(workflowId).result() : state;
    } finally {
      await news.stop();
    }
  });
  session.print('');
  session.print(`  What the ledger has of ${request.subscriptionId}:`);
  const entries = await entriesOfSubscription(demo.ledger, request.customer, request.subscriptionId);
  for (const entry of entries) session.print(`    ${entryLine(entry, 'EUR')}`);
  if (entries.length === 0) session.print('    nothing');
  session.print('');
  for (const line of await sameByHand(session, client, request).catch(() => [])) session.print(line);
  return state;
}

/** Tells each mail and each entry once, as it comes. */
function follow(demo: Demo, { customer, subscriptionId }: SubscriptionInput, { announce }: Watched) {
  let [mails, entries, isOver] = [0, 0, false];
  const look = async () => {
    const inbox = await demo.inbox(`${customer}@example.com`);
    for (const { subject, delivery } of inbox.slice(mails)) {
      await announce(`e-mail: ${subject}${delivery > 1 ? ` (delivery ${delivery} of the same mail)` : ''}`);
    }
    mails = inbox.length;
    // While the ledger is down there is no news.
    const found = await entriesOfSubscription(demo.ledger, customer, subscriptionId).catch(() => []);
    for (const { kind, amount, balance } of found.slice(entries)) {
      const what = kind === 'charge' ? 'charge' : 'charge given back';
      await announce(
        `ledger: ${what}, ${formatAmount(amount, 'EUR')} EUR; ${customer} has ${formatAmount(balance, 'EUR')}`,
      );
    }
    entries = Math.max(entries, found.length);
  };
  const looking = (async () => {
    while (!isOver) {
      await look();
      await pause(200);
    }
  })();
  // What it fails of, `stop` tells.
  looking.catch(() => {});
  return {
    async stop() {
      isOver = true;
      await looking;
      await look();
    },
  };
}

/** Resolves when a subscription is as it is waited for. */
export function untilItIs(demo: Demo, id: string, what: string, is: (state: SubscriptionState) => boolean) {
  return until(what, async () => {
    const state = await subscriptionState(demo.client, id);
    return is(state) ? state : undefined;
  });
}

/** What was charged (negative) and given back, oldest first, in minor units; and which mails were delivered. */
export interface Promised {
  status: Status;
  entries: number[];
  mails: MailKind[];
}

/**
 * The promise, in the ledger and in the inbox, whatever the workflow says.
 * @throws BrokenPromise unless both have exactly this, the ledger agrees with what is shown, and all its books add up
 */
export async function expectKept(
  { ledger, inbox }: Demo,
  { id: account, email }: Subscriber,
  state: SubscriptionState,
  promised: Promised,
): Promise<void> {
  expectSame('status of the subscription', promised.status, state.status);
  const entries = await entriesOfSubscription(ledger, account, state.subscriptionId);
  expectSame(
    'entries in the ledger',
    promised.entries,
    entries.map(({ amount }) => amount),
  );
  expectSame('what the ledger says otherwise than the subscription', [], await disagreements(ledger, state));
  expectSame('what is wrong in the books', [], await wrongInBooks(ledger));
  const delivered = (await inbox(email)).filter(({ delivery }) => delivery === 1);
  expectSame(
    'mails in the inbox',
    promised.mails,
    delivered.map(({ subject }) => kindOf(subject)),
  );
}

/** What something was refused with. @throws BrokenPromise if it was not */
export async function refusedWith(asked: Promise<unknown>): Promise<{ type: string; message: string }> {
  const answer = await asked.catch((error: Error) => error);
  const failure = answer instanceof Error ? (answer.cause as { type?: string; message?: string }) : undefined;
  if (!failure?.type) throw new BrokenPromise('answer', 'a refusal', answer);
  return { type: failure.type, message: failure.message ?? '' };
}

/** Which kind of mail has this subject. */
const kindOf = (subject: string): string => kinds.get(subject) ?? subject;
const facts = { subscriptionId: 'any', name: 'any', plan: catalogue.endless as Plan, timeZone: 'UTC' };
const kinds = new Map(Object.entries(mails).map(([kind, template]) => [template(facts).subject, kind]));
