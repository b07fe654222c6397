import { type Ledger, LedgerError, type SuspenseItem } from '@repo/ledger';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import { lastEventAt } from '@repo/worker-kit/lookup';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { legKey, statusAttribute, transferWorkflowId } from '../contract.ts';
import { wrongInBooks } from './invariants.ts';
import { requestOf } from './transfer-lookup.ts';

export interface ReconcileInput {
  client: Client;
  ledger: Ledger;
  /** Money that was withdrawn less than that long ago is left alone, in milliseconds. */
  graceMs: number;
  /** Only says what it would do. */
  dryRun?: boolean | undefined;
  /** How many have been looked at, told after each page. */
  onLooked?: ((transfers: number) => void) | undefined;
}

/** Money that rests in suspense with nobody to look after it, and what is done about it; or books that do not agree. */
export type Finding =
  | (Resting & { action: 'given back' | 'to give back'; why: string })
  | (Resting & { action: 'needs attention'; why: string })
  | { books: string; action: 'needs attention' };
type Resting = Pick<SuspenseItem, 'reference' | 'account' | 'amount' | 'currency'>;

const pageSize = 100;

/** How many are looked at at once. */
const atOnce = 8;

/**
 * Gives back the money of transfers whose workflow has ended, whatever that workflow said: a terminate and a time-out run
 * no workflow code, and a second run of a reference may have been refused while the first one's money rests.
 *
 * Starts from what rests in suspense, of which one page is in memory, and asks Temporal for that very workflow, never the
 * list of workflows, which lags behind. A transfer whose workflow is open is never touched, but shown if it does not get
 * on; what cannot be decided is put before a person; the second time nothing changes. At the end it adds up the books.
 */
export async function* reconcile(input: ReconcileInput): AsyncGenerator<Finding> {
  const { ledger, graceMs, onLooked = () => {} } = input;
  let page: SuspenseItem[] = [];
  do {
    page = await ledger.suspense({ olderThan: graceMs, after: page.at(-1)?.reference ?? '', limit: pageSize });
    const findings: (Finding | undefined)[] = [];
    const items = page.entries();
    const take = async () => {
      for (const [index, item] of items) findings[index] = await look(input, item);
    };
    await Promise.all(Array.from({ length: atOnce }, take));
    yield* findings.filter((one) => one !== undefined);
    onLooked(page.length);
  } while (page.length === pageSize);
  for (const books of await wrongInBooks(ledger)) yield { books, action: 'needs attention' };
}

async function look(input: ReconcileInput, item: SuspenseItem): Promise<Finding | undefined> {
  const { client, ledger } = input;
  const { reference, account, amount, currency } = item;
  const found = await describe(client, reference);
  const needsAttention = (why: string): Finding => ({
    ...{ reference, account, amount, currency },
    action: 'needs attention',
    why,
  });
  // Only now, for it may have come to its end since the page was read.
  if ((await ledger.transfer({ reference }))?.status !== 'resting') return undefined;
  if (found?.isOpen) {
    const next = `pnpm --filter money-transfer transfer status ${reference}`;
    if (found.status === 'needs-attention') return needsAttention(`its workflow does not get on: ${next}`);
    if (!(await isStuck(input, item, found.status))) return undefined;
    const queue = found.taskQueue;
    return needsAttention(`open, but not getting on: is a worker there for task queue ${queue}? ${next}`);
  }
  if (found === undefined) {
    // Forgotten after its retention, or it runs in another namespace. Nothing is done twice if it is sent again.
    return needsAttention('Temporal has no workflow of it (any more): the same transfer, sent again, finishes it');
  }
  const why = `its workflow is ${found.execution.toLowerCase().replace('_', ' ')}`;
  const { status } = await ledger.account({ account });
  // Would be refused, and each refusal takes a key.
  if (status !== 'open') return needsAttention(`${why}, and ${account} is ${status}: reconcile again when it is open`);
  if (input.dryRun) return { reference, account, amount, currency, action: 'to give back', why };
  const refused = await giveBack(ledger, reference);
  if (refused === undefined) return { reference, account, amount, currency, action: 'given back', why };
  // An attempt of the dead workflow that was still on its way has done it meanwhile.
  if (refused.type === ledgerFailureTypes.nothingInSuspense) return undefined;
  return needsAttention(`${why}, and the ledger refuses to give it back: ${refused.message}`);
}

/**
 * Whether nothing has happened in an open workflow for longer than the grace period. One that waits for approval may be
 * quiet until the time for that is over.
 */
async function isStuck({ client, graceMs }: ReconcileInput, { reference, age }: SuspenseItem, status?: string) {
  const workflowId = transferWorkflowId(reference);
  const isQuiet = Date.now() - (await lastEventAt(client, workflowId)) >= graceMs;
  if (!isQuiet || status !== 'waiting-for-approval') return isQuiet;
  return age > (await requestOf(client, workflowId)).approvalWithin * 1000 + graceMs;
}

/**
 * Under the key of the next try, for a refusal stays with its key.
 * @returns why not, if so
 */
async function giveBack(ledger: Ledger, reference: string): Promise<LedgerError | undefined> {
  let attempt = 1;
  while ((await ledger.operation({ key: legKey.refund(reference, attempt) }))?.status === 'refused') attempt += 1;
  try {
    await ledger.refund({ key: legKey.refund(reference, attempt), reference, at: new Date().toISOString() });
    return undefined;
  } catch (error) {
    if (error instanceof LedgerError) return error;
    throw error;
  }
}

/** Undefined if Temporal knows no such workflow. */
async function describe(client: Client, reference: string) {
  try {
    const found = await client.workflow.getHandle(transferWorkflowId(reference)).describe();
    return {
      execution: found.status.name,
      taskQueue: found.taskQueue,
      isOpen: found.closeTime === undefined,
      status: found.typedSearchAttributes.get(statusAttribute),
    };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
