import { randomUUID } from 'node:crypto';
import { print } from '@repo/dev-stack/commands';
import { type Account, type Ledger, LedgerError, type Statement } from '@repo/ledger';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import { DatabaseUnavailable } from '@repo/operations';
import { InvalidInputError, OperatorError, parseInput } from '@repo/worker-kit';
import { inWords } from '../contract.ts';
import * as doors from './doors.ts';
import { withLedger } from './ledger-at-hand.ts';
import * as words from './ledger-words.ts';

/** What can be done with accounts, past Temporal. Exit code 1 if the ledger refuses, 2 for bad input. */

const now = () => new Date().toISOString();

/** The same account opened again in the same way is the same opening. */
export function openCommand(account: string, { json, ...options }: { json?: boolean; [option: string]: unknown }) {
  // Zero is no amount to be moved, but it is a limit, and what is meant if none is given.
  const { overdraft, ...rest } = options;
  const isNone = typeof overdraft === 'string' && /^0+(\.0+)?$/.test(overdraft);
  const request = doors.parseMoney(doors.openDoor, { account, ...(isNone ? rest : options) }, ['overdraft']);
  const ask = (ledger: Ledger) => ledger.openAccount({ ...request, key: `account:${account}:open`, at: now() });
  return answered(json, ask, ({ currency, replayed }) =>
    replayed ? `Account ${account} is there already.` : `Account ${account} is open, in ${currency}.`,
  );
}

/** Money from outside. With a key, the same payment may be reported as often as one likes. */
export function payInCommand(account: string, { json, ...options }: { json?: boolean; [option: string]: unknown }) {
  const { key = randomUUID(), ...request } = doors.parseMoney(doors.payInDoor, { account, ...options });
  const ask = (ledger: Ledger) =>
    ledger.payIn({ ...request, key: `pay-in:${key}`, at: now() }).catch((cause: unknown) => {
      if (!(cause instanceof DatabaseUnavailable)) throw cause;
      const nextStep = `Run this again with --key ${key}: then it arrives once, in either case.`;
      throw new OperatorError('PostgreSQL has not answered: the money may have arrived.', nextStep, { cause });
    });
  return answered(json, ask, (posting) =>
    posting.replayed
      ? `${inWords(posting)} under this key had reached ${account} before: nothing was done.`
      : `${inWords(posting)} from outside has reached ${account}.`,
  );
}

const changes = {
  freeze: { change: 'freezeAccount', says: 'is frozen: it neither gives nor takes' },
  unfreeze: { change: 'unfreezeAccount', says: 'is open again' },
  close: { change: 'closeAccount', says: 'is closed, for good' },
} as const;

export function statusCommand(name: keyof typeof changes, account: string, { json }: { json?: boolean }) {
  const { change, says } = changes[name];
  parseInput(doors.accountDoor, { account });
  // Every command is meant: an account may be frozen again next year.
  const request = { account, key: `account:${account}:${name}:${randomUUID()}`, at: now() };
  return answered(
    json,
    (ledger) => ledger[change](request),
    () => `Account ${account} ${says}.`,
  );
}

/** One account a line, page by page. */
export function listCommand({ json }: { json?: boolean }): Promise<void> {
  return withLedger(async (ledger) => {
    let page: Account[] = [];
    do {
      page = await ledger.accounts({ after: page.at(-1)?.account ?? '' });
      for (const one of page) print(json, one, words.accountLine);
    } while (page.length > 0);
  });
}

/** What an account was paid and what it paid, page by page; as JSON one page a line. */
export function statementCommand(
  account: string,
  { json, ...options }: { json?: boolean; from?: string; to?: string },
) {
  const request = parseInput(doors.statementDoor, { account, ...options });
  return withLedger(async (ledger) => {
    let page: Statement | undefined;
    do {
      const after: Statement['next'] = page?.next;
      const next = await refusable(json, () => ledger.statement({ ...clean(request), ...(after && { after }) }));
      if (!next) return;
      const [isFirst, isLast] = [page === undefined, next.next === undefined];
      print(json, next, () => words.statementPage(next, { isFirst, isLast }).join('\n'));
      page = next;
    } while (page.next);
  });
}

/** Without the fields that were not given: with exactOptionalPropertyTypes, undefined is a value. */
const clean = <Fields extends object>(fields: Fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Fields]: Exclude<Fields[Name], undefined>;
  };

function answered<Answer>(
  json: boolean | undefined,
  ask: (ledger: Ledger) => Promise<Answer>,
  inWords: (answer: Answer) => string,
): Promise<void> {
  return withLedger(async (ledger) => {
    const answer = await refusable(json, () => ask(ledger));
    if (answer !== undefined) print(json, answer, inWords);
  });
}

/** The ledger's no is an answer as well: one sentence, or JSON, and exit code 1. */
async function refusable<Answer>(json: boolean | undefined, ask: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    const { type, message, details } = error;
    if (type === ledgerFailureTypes.invalidRequest) {
      const field = String(details.field);
      throw new InvalidInputError([{ field, message: message.replace(`${field}: `, '') }]);
    }
    process.exitCode = 1;
    if (json) console.log(JSON.stringify({ status: 'refused', reason: { type, message } }));
    else console.error(`Refused: ${message}.`);
    return undefined;
  }
}
