import { randomUUID } from 'node:crypto';
import { print } from '@repo/dev-stack/commands';
import { DatabaseUnavailable } from '@repo/operations';
import { OperatorError, parseInput } from '@repo/worker-kit';
import { inWords } from '../contract.ts';
import type { Customer } from '../services/customers.ts';
import { withDatabases } from './databases-at-hand.ts';
import * as doors from './doors.ts';
import { refusable, refuse } from './ledger-answers.ts';
import { entriesOf, entryLine, isOf } from './ledger-entries.ts';

/** What can be done with customers, past Temporal. Exit code 1 if the ledger refuses, 2 for bad input. */

interface AddOptions {
  json?: boolean;
  name?: string;
  email?: string;
  timeZone?: string;
  currency?: string;
}

/** A customer, and the account that their subscriptions are charged to. Added again, name, address and time zone change. */
export function addCommand(id: string, { json, ...options }: AddOptions): Promise<void> {
  const defaults = { name: id, email: `${id}@example.com`, currency: 'EUR' };
  const { currency, ...customer } = parseInput(doors.customerDoor, { ...defaults, ...options, id });
  return withDatabases(async ({ ledger, customers }) => {
    const request = { key: `customer:${id}:account`, at: new Date().toISOString(), account: id, currency };
    if (!(await refusable(json, () => ledger.openAccount(request)))) return;
    const added = await customers.put({ ...customer, account: id });
    print(
      json,
      { ...added, currency },
      ({ name, email, timeZone }) =>
        `Customer ${id} (${name}, ${email}, ${timeZone}) pays from account ${id}, in ${currency}.`,
    );
  });
}

/** Money from outside. With a key, the same payment may be reported as often as one likes. */
export function payInCommand(id: string, { json, amount, key }: { json?: boolean; amount?: string; key?: string }) {
  const { customer: name, key: payment = randomUUID() } = parseInput(
    doors.payInDoor,
    doors.given({ customer: id, key }),
  );
  const text = doors.amountText('amount', amount);
  return withDatabases(async ({ ledger, customers }) => {
    const customer = await customers.find(name);
    if (!customer) return refuse(json, 'UnknownCustomer', `There is no customer ${name}`);
    const { account } = customer;
    const ask = async () => {
      const { currency } = await ledger.account({ account });
      const request = { account, amount: doors.minorUnits('amount', text, currency), currency };
      return ledger.payIn({ ...request, key: `pay-in:${payment}`, at: new Date().toISOString() });
    };
    const posting = await refusable(json, ask).catch((cause: unknown) => {
      if (!(cause instanceof DatabaseUnavailable)) throw cause;
      const nextStep = `Run this again with --key ${payment}: then it arrives once, in either case.`;
      throw new OperatorError('PostgreSQL has not answered: the money may have arrived.', nextStep, { cause });
    });
    if (!posting) return;
    print(json, posting, () =>
      posting.replayed
        ? `${inWords(posting)} under this key had reached ${account} before: nothing was done.`
        : `${inWords(posting)} from outside has reached ${account}.`,
    );
  });
}

/** One customer a line, page by page. */
export function listCommand({ json }: { json?: boolean }): Promise<void> {
  return withDatabases(async ({ ledger, customers }) => {
    let page: Customer[] = [];
    do {
      page = await customers.list({ after: page.at(-1)?.id ?? '' });
      for (const customer of page) {
        const { balance, currency } = await ledger.account({ account: customer.account });
        print(json, { ...customer, balance, currency }, ({ id, email, timeZone }) =>
          [id.padEnd(20), inWords({ amount: balance, currency }).padStart(16), timeZone.padEnd(16), email].join('  '),
        );
      }
    } while (page.length > 0);
  });
}

/** Every entry of a customer's account, or those of one subscription, in the order of business time. */
export function ledgerCommand(id: string, { json, subscription }: { json?: boolean; subscription?: string }) {
  const { customer: name } = parseInput(doors.payInDoor, { customer: id });
  return withDatabases(async ({ ledger, customers }) => {
    const customer = await customers.find(name);
    if (!customer) return refuse(json, 'UnknownCustomer', `There is no customer ${name}`);
    const { currency } = await ledger.account({ account: customer.account });
    let isEmpty = true;
    for await (const entry of entriesOf(ledger, customer.account)) {
      if (subscription !== undefined && !isOf(subscription, entry)) continue;
      isEmpty = false;
      print(json, { ...entry, currency }, () => entryLine(entry, currency));
    }
    if (isEmpty && !json) console.log('No entries.');
  });
}
