import type { Permissions } from '@repo/permissions';
import { OperatorError } from '@repo/worker-kit';
import {
  type Client,
  isGrpcDeadlineError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
} from '@temporalio/client';
import { endInWords } from './post-words.ts';
import { changePost, type LastChange, lastChange, startChange, workerCommand } from './posts.ts';
import { driftOf, held, type OnRecord, type Records } from './reconcile-stores.ts';

export interface ReconcileInput {
  client: Client;
  permissions: Permissions;
  records: Records;
  /** A change that was begun less than that long ago is left alone, in milliseconds; it is told of if it keeps failing. */
  graceMs: number;
  /** Only says what it would do. */
  dryRun?: boolean | undefined;
  /** Posts whose ids begin so; all of them if it is empty. */
  prefix?: string | undefined;
  /** How long a mending may wait for a worker; without it, for as long as it takes. In milliseconds. */
  workerWithinMs?: number | undefined;
  /** How many posts have been looked at, told after each page. */
  onLooked?: ((posts: number) => void) | undefined;
}

/** Where the stores disagree about a post, in words, and what is done about it. */
export type Finding =
  | { post: string; drift: string; action: 'mended' | 'to mend' }
  | { post: string; drift: string; action: 'needs attention'; why: string };

/** How many posts are looked at, or mended, at once. */
const atOnce = 8;

/**
 * Compares PostgreSQL and SpiceDB, post by post and in both directions, and mends where they disagree: SpiceDB is brought
 * to what PostgreSQL says. No more than one page of either store is in memory.
 *
 * It writes nothing itself: a workflow of the post does, of which there is one at a time. So a change that is under way is
 * never touched, nothing is done twice, and the second time there is nothing to do. What it cannot decide is put before
 * a person.
 * @throws OperatorError if a mending has waited too long for a worker
 */
export async function* reconcile(input: ReconcileInput): AsyncGenerator<Finding> {
  const { permissions, records, prefix = '', onLooked = () => {} } = input;
  for await (const page of records.pages(prefix)) {
    yield* await each(page, (record) => look(input, record));
    onLooked(page.length);
  }
  // And the other way round: what only SpiceDB has.
  for await (const posts of records.unknownOf(permissions, prefix)) {
    yield* await each(posts, (post) => look(input, { post, generation: 0 }));
    onLooked(posts.length);
  }
}

async function look(input: ReconcileInput, record: OnRecord): Promise<Finding | undefined> {
  const { client, permissions, records, graceMs } = input;
  const { post } = record;
  if (!driftOf(record, await held(permissions, post))) return undefined;
  const last = await lastChange(client, post);
  if (last?.isOpen) return underWay(post, last, graceMs);
  if (isYoung(record, graceMs)) return undefined;
  // Once more, for the page is older than what SpiceDB and Temporal said: it may have been changed in between.
  const now = (await records.of(post)) ?? { post, generation: 0 };
  const drift = driftOf(now, await held(permissions, post));
  if (!drift || now.generation !== record.generation || isYoung(now, graceMs)) return undefined;
  const why = await undecided(input, now, last !== undefined);
  if (why !== undefined) return { post, drift, action: 'needs attention', why };
  return mend(input, post, drift);
}

/** A change that is under way is never touched. A person is told of one that does not get on. */
function underWay(post: string, last: LastChange, graceMs: number): Finding | undefined {
  const { status, taskQueue, ageMs } = last;
  const finding = { post, drift: 'is being changed', action: 'needs attention' } as const;
  if (status === 'needs-attention') {
    return { ...finding, why: `its workflow keeps failing, and is still being tried: post status --post ${post}` };
  }
  if (ageMs < graceMs) return undefined;
  const minutes = Math.floor(ageMs / 60_000);
  const why = `under way for ${minutes} min on task queue ${taskQueue}: does a worker serve it? ${workerCommand(taskQueue)}`;
  return { ...finding, why };
}

const isUnfinished = ({ row }: OnRecord): boolean => row !== undefined && row.status !== 'active';

const isYoung = (record: OnRecord, graceMs: number): boolean =>
  isUnfinished(record) && (record.last?.ageMs ?? 0) < graceMs;

/** Why a person has to decide; undefined if nobody has to. */
async function undecided({ records }: ReconcileInput, record: OnRecord, isKnown: boolean): Promise<string | undefined> {
  const { post, row, last } = record;
  const mend = `post mend --post ${post}`;
  if (row && last?.change === 'delete' && row.status !== 'deleting') {
    return `PostgreSQL contradicts itself: there is a row of ${row.author}, its last change is that it was deleted. If the row is right: ${mend}; if not: post delete --post ${post}`;
  }
  if (row && last && last.change !== 'delete' && row.author !== last.author) {
    return `PostgreSQL contradicts itself: the row says ${row.author}, its last change ${last.author}. If the row is right: ${mend}; if not: post transfer --post ${post} --to ${last.author}`;
  }
  // Forgotten after its retention, or it runs in another namespace.
  if (isUnfinished(record) && !isKnown) return `Temporal has no workflow of it (any more): ${mend} finishes it`;
  if (last === undefined && (await records.isEmpty())) {
    return `PostgreSQL has never had a post: is DATABASE_URL the right one? If it is, ${mend} revokes it`;
  }
  return undefined;
}

async function mend(input: ReconcileInput, post: string, drift: string): Promise<Finding | undefined> {
  const { client, permissions, records, dryRun, workerWithinMs } = input;
  if (dryRun) return { post, drift, action: 'to mend' };
  let why = 'it was mended, and is so all the same';
  try {
    const handle = await startChange(client, 'mendPost', { post });
    const stuck = await unlessStuck(client, post, () => handle.result(), workerWithinMs);
    if (stuck) return stuck;
  } catch (error) {
    // Somebody else changes it at this very moment: the next turn says what has become of it.
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    if (!(error instanceof WorkflowFailedError)) throw error;
    why = `its mending ${endInWords(error)}; run this again`;
  }
  const left = driftOf((await records.of(post)) ?? { post, generation: 0 }, await held(permissions, post));
  if (left === undefined) return { post, drift, action: 'mended' };
  return { post, drift: left, action: 'needs attention', why };
}

/** How often it is asked whether a mending gets on. */
const askEveryMs = 3_000;

/** Undefined at the end of the mending. One that keeps failing may have no end, and the other posts must not wait for it. */
async function unlessStuck(
  client: Client,
  post: string,
  result: () => Promise<unknown>,
  workerWithinMs = Number.POSITIVE_INFINITY,
): Promise<Finding | undefined> {
  for (;;) {
    try {
      await client.withDeadline(Date.now() + askEveryMs, result);
      return undefined;
    } catch (error) {
      if (!isGrpcDeadlineError(error)) throw error;
    }
    const last = await lastChange(client, post);
    if (!last?.isOpen) continue;
    if (last.status === 'needs-attention') return underWay(post, last, 0);
    const { status, taskQueue, ageMs } = last;
    if (status === undefined && ageMs >= workerWithinMs) {
      const nextStep = `Start a worker: ${workerCommand(taskQueue)}`;
      throw new OperatorError(`Nobody serves task queue ${taskQueue}, so nothing is mended.`, nextStep);
    }
  }
}

/** Mends one post, for a person who has decided that PostgreSQL's row is right. */
export const mendOne = (client: Client, post: string) => changePost(client, 'mendPost', { post });

/** All findings, in the order of the items. */
async function each<Item>(items: Item[], look: (item: Item) => Promise<Finding | undefined>): Promise<Finding[]> {
  const findings: (Finding | undefined)[] = [];
  const next = items.entries();
  const take = async () => {
    for (const [index, item] of next) findings[index] = await look(item);
  };
  await Promise.all(Array.from({ length: atOnce }, take));
  return findings.filter((one) => one !== undefined);
}
