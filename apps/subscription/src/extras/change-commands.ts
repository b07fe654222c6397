import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { print, withClient } from '@repo/dev-stack/commands';
import { InvalidInputError, parseInput } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { atTheDoor, type SubscriptionState } from '../contract.ts';
import { answered } from './commands.ts';
import * as doors from './doors.ts';
import { refusable } from './ledger-answers.ts';
import * as words from './subscription-words.ts';
import * as subscriptions from './subscriptions.ts';

/** What the commands do that change a subscription. Exit code 1 if the ledger refuses, 2 for what is not possible. */

/** As commander gives them: all that is not checked here is checked at the door. */
type Options = { json?: boolean; by?: string; [option: string]: unknown };
type PeriodOptions = Options & { period?: string };

const short = () => randomUUID().slice(0, 8);
const who = (by: string | undefined) => by ?? userInfo().username;

/** Another price, for the periods that have not begun. */
export function changePriceCommand(id: string, { json, by, price, from, changeId = short() }: Options): Promise<void> {
  const text = doors.amountText('price', price);
  const change = { from: doors.numberOf(from), changeId, by: who(by) };
  // All that can be known to be wrong before the currency is known.
  parseInput(atTheDoor.changePrice, doors.given({ ...change, price: 1 }));
  return changing(id, async (client, { currency }) => {
    const request = parseInput(
      atTheDoor.changePrice,
      doors.given({ ...change, price: doors.minorUnits('price', text, currency) }),
    );
    const changed = await subscriptions.changePrice(client, id, request);
    print(json, changed, () => words.changeInWords(id, changed, currency));
  });
}

/** Another length of the periods that have not begun. */
export function changePeriodCommand(id: string, options: PeriodOptions): Promise<void> {
  const { json, by, period, from, changeId = short() } = options;
  const change = { period: doors.spanOf('period', period), from: doors.numberOf(from), changeId, by: who(by) };
  const request = parseInput(atTheDoor.changePeriod, doors.given(change));
  return changing(id, async (client, { currency }) => {
    const changed = await subscriptions.changePeriod(client, id, request);
    print(json, changed, () => words.changeInWords(id, changed, currency));
  });
}

/** Money to the customer, or from them, beside the charges. */
export function adjustCommand(id: string, options: Options): Promise<void> {
  const { json, by, credit, debit, reason, reference = short() } = options;
  if (credit === undefined && debit === undefined) {
    throw new InvalidInputError([{ field: 'credit', message: 'is missing, or --debit' }]);
  }
  const direction = credit === undefined ? 'debit' : 'credit';
  const text = doors.amountText(direction, credit ?? debit);
  const adjustment = doors.given({ direction, reason, reference, by: who(by) });
  parseInput(atTheDoor.adjust, { ...adjustment, amount: 1 });
  return changing(id, async (client, { currency }) => {
    const amount = doors.minorUnits(direction, text, currency);
    const request = parseInput(atTheDoor.adjust, { ...adjustment, amount });
    const adjusted = await refusable(json, () => subscriptions.adjust(client, id, request));
    if (adjusted) print(json, adjusted, () => words.adjustmentInWords(id, adjusted, currency));
  });
}

/** What was charged for a period goes back. */
export function refundCommand(id: string, { json, by, period, reason }: Options): Promise<void> {
  const request = parseInput(atTheDoor.refund, doors.given({ period: doors.numberOf(period), reason, by: who(by) }));
  return changing(id, async (client, { currency }) => {
    const refunded = await refusable(json, () => subscriptions.refund(client, id, request));
    if (refunded) print(json, refunded, () => words.refundInWords(id, refunded, currency));
  });
}

/** What the ledger will not give back is settled by hand. */
export function resolveCommand(id: string, { json, by, period, how, note }: Options): Promise<void> {
  const request = parseInput(
    atTheDoor.resolve,
    doors.given({ period: doors.numberOf(period), how, note, by: who(by) }),
  );
  return changing(id, async (client, { currency }) => {
    const resolved = await subscriptions.resolve(client, id, request);
    print(json, resolved, () => words.resolvedInWords(id, resolved, currency));
  });
}

/** Ends it, by the time at which this is asked for. */
export function cancelCommand(id: string, { json, by }: Options): Promise<void> {
  parseInput(atTheDoor.subscriptionId, { subscriptionId: id });
  const request = parseInput(atTheDoor.cancel, { requestedAt: new Date().toISOString(), by: who(by) });
  return withClient(async (client) => {
    const cancelled = await answered(client, id, () => subscriptions.cancel(client, id, request));
    if (cancelled) print(json, cancelled, words.endInWords);
  });
}

/** With what is known of the subscription, whose currency is that of all amounts. */
function changing(id: string, change: (client: Client, state: SubscriptionState) => Promise<void>): Promise<void> {
  parseInput(atTheDoor.subscriptionId, { subscriptionId: id });
  return withClient(async (client) => {
    const state = await subscriptions.subscriptionState(client, id);
    await answered(client, id, async () => {
      await change(client, state);
      return true;
    });
  });
}
