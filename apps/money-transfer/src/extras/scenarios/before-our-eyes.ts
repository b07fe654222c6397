import { BrokenPromise, expectSame, type Session, say, until, type Watched, watch } from '@repo/dev-stack';
import type { StatementEntry } from '@repo/ledger';
import { formatAmount } from '@repo/ledger/money';
import { type TransferInput, type TransferOutcome, transferWorkflowId } from '../../contract.ts';
import type { Demo, FaultyWorker } from '../demo.ts';
import { type Whereabouts, whereIs, wrongInBooks } from '../invariants.ts';
import { statementPage } from '../ledger-words.ts';
import { sameByHand } from '../same-by-hand.ts';
import { moneyInWords, requestInWords } from '../transfer-words.ts';
import { sendOrFind } from '../transfers.ts';

/** Whoever asks for the transfers of the scenarios, and so cannot approve them. */
export const requester = 'ada';

/** A request between two accounts that nobody else has: the sender's has this much in EUR cents, the target's nothing. */
export async function aRequest(session: Session, demo: Demo, amount: number, has = 10_000): Promise<TransferInput> {
  const { ledger, accounts } = demo;
  const [from, to] = [session.newId('alice'), session.newId('bob')];
  const at = new Date().toISOString();
  for (const account of [from, to]) {
    await ledger.openAccount({ key: `account:${account}:open`, at, account, currency: 'EUR' });
  }
  await ledger.payIn({ key: `pay-in:${from}`, at, account: from, amount: has, currency: 'EUR' });
  accounts.push(from, to);
  say(session, `${from} has ${formatAmount(has, 'EUR')} EUR, ${to} has nothing`);
  return { reference: session.newId('transfer'), from, to, amount, currency: 'EUR', requestedBy: requester };
}

/**
 * Sends money while its steps are shown, prints both statements, and says how to do the same by hand.
 * @param play breaks something, or looks, and resolves with what the scenario goes on with: the outcome, by default
 */
export async function transferBeforeOurEyes<Result = TransferOutcome>(
  session: Session,
  demo: Demo,
  request: TransferInput,
  play: (watched: Watched, outcome: Promise<TransferOutcome>) => Promise<Result> = (_, outcome) =>
    outcome as Promise<Result>,
): Promise<Result> {
  const { client } = demo;
  const workflowId = transferWorkflowId(request.reference);
  session.print(`  ${requestInWords(request)}; workflow ${workflowId}`);
  session.print('');
  const result = await watch(session, client, workflowId, (watched) => {
    const outcome = sendOrFind(client, request, requester);
    // Whoever plays may not wait for it, as when the workflow is terminated.
    outcome.catch(() => {});
    return play(watched, outcome);
  });
  await showStatements(session, demo, request);
  session.print('');
  for (const line of await sameByHand(session, client, request).catch(() => [])) session.print(line);
  return result;
}

async function showStatements(session: Session, { ledger }: Demo, { from, to, reference }: TransferInput) {
  session.print('');
  for (const account of [from, to]) {
    const page = await ledger.statement({ account });
    for (const line of statementPage(page, { isFirst: true, isLast: true })) session.print(`  ${line}`);
  }
  session.print(`  ${reference}: ${moneyInWords(await ledger.transfer({ reference }))}`);
}

/** Resolves when the deposit of this worker is on its way, and held there: the money rests in suspense. */
export async function depositIsHeld({ ledger }: Demo, worker: FaultyWorker, { reference }: TransferInput) {
  await until('the deposit on its way', async () => said(worker, 'on its way'));
  expectSame('where the money is', 'suspense', await whereIs(ledger, reference));
}

export const letItGo = (worker: FaultyWorker): void => worker.send({ goOn: true });

/** What this worker has said of its deposit, if it has. */
export const said = (worker: FaultyWorker, deposit: string) =>
  worker.said.find((one) => (one as { deposit?: string }).deposit === deposit);

/** Balance in minor units, and the kinds of all entries, oldest first. */
type Expected = [balance: number, ...entries: StatementEntry['kind'][]];

/**
 * The promise, in the ledger, whatever the workflow says.
 * @throws BrokenPromise unless both accounts have exactly these entries, and all books add up
 */
export async function expectInTheLedger(
  { ledger }: Demo,
  { reference, from, to }: TransferInput,
  expected: { money: Whereabouts; from: Expected; to: Expected },
): Promise<void> {
  expectSame('where the money is', expected.money, await whereIs(ledger, reference));
  for (const [account, [balance, ...kinds]] of [
    [from, expected.from],
    [to, expected.to],
  ] as const) {
    const { closing, entries } = await ledger.statement({ account });
    expectSame(`balance of ${account}`, balance, (await ledger.account({ account })).balance);
    expectSame(`statement of ${account}`, [balance, ...kinds], [closing, ...entries.map(({ kind }) => kind)]);
  }
  expectSame('what is wrong in the books', [], await wrongInBooks(ledger));
}

/** @throws BrokenPromise unless the transfer has ended, or rests, like this */
export function expectStatus<Status extends TransferOutcome['status']>(outcome: TransferOutcome, expected: Status) {
  if (outcome.status !== expected) throw new BrokenPromise('outcome of the workflow', expected, outcome);
  return outcome as Extract<TransferOutcome, { status: Status }>;
}

/** What an update was refused with. @throws BrokenPromise if it was not */
export async function refusedWith(update: Promise<TransferOutcome>): Promise<{ type: string; message: string }> {
  const outcome = await update.catch((error: Error) => error);
  const failure = outcome instanceof Error ? (outcome.cause as { type?: string; message?: string }) : undefined;
  if (!failure?.type) throw new BrokenPromise('answer to the update', 'a refusal', outcome);
  return { type: failure.type, message: failure.message ?? '' };
}
