import { BrokenPromise, expectSame, type Session, until, type Watched, watch } from '@repo/dev-stack';
import { postWorkflowId } from '../../contract.ts';
import type { Demo, FaultyWorker } from '../demo.ts';
import { type Changes, startChange } from '../posts.ts';
import { sameByHand } from '../same-by-hand.ts';

/** What is made of `writePost`, and so on. */
type Outcome<Name extends keyof Changes> = Changes[Name]['outcome'];

/**
 * Changes a post while its steps are shown, and says afterwards how to do the same by hand.
 * @param meanwhile breaks something, or looks; it may wait for the outcome
 */
export async function changeBeforeOurEyes<Name extends keyof Changes>(
  session: Session,
  { client }: Demo,
  name: Name,
  request: Changes[Name]['request'],
  meanwhile: (watched: Watched, outcome: Promise<Outcome<Name>>) => Promise<unknown> = async () => {},
): Promise<Outcome<Name>> {
  const workflowId = postWorkflowId(request.post);
  session.print(`  ${name} ${JSON.stringify(request)}; workflow ${workflowId}`);
  session.print('');
  const handle = await startChange(client, name, request);
  const outcome = await watch(session, client, workflowId, async (watched) => {
    const result = handle.result() as Promise<Outcome<Name>>;
    const [ended] = await Promise.all([result, meanwhile(watched, result)]);
    return ended;
  });
  session.print('');
  for (const line of await sameByHand(session, client, name, request).catch(() => [])) session.print(line);
  return outcome;
}

/** A post that its author has, written without a word. */
export async function aPostOf(session: Session, { client }: Demo, author: string): Promise<string> {
  const post = session.newId('post');
  const outcome = await (await startChange(client, 'writePost', { post, author })).result();
  if (outcome.status !== 'written') throw new BrokenPromise('outcome of the workflow', 'written', outcome);
  session.print(`          » ${post} is there, and belongs to ${author}`);
  return post;
}

/** Resolves when the write to SpiceDB of this worker is on its way, and held there. */
export async function writeIsHeld(worker: FaultyWorker): Promise<void> {
  await until('the write to SpiceDB on its way', async () => worker.said.find((one) => says(one, 'on its way')));
}

/** Lets it arrive, and resolves with what SpiceDB made of it. */
export async function letItArrive(worker: FaultyWorker): Promise<'done' | 'refused'> {
  worker.send({ goOn: true });
  return until('the end of the write', async () => {
    if (worker.said.some((one) => says(one, 'refused'))) return 'refused';
    return worker.said.some((one) => says(one, 'done')) ? 'done' : undefined;
  });
}

const says = (message: unknown, write: string): boolean => (message as { write?: string }).write === write;

/** Who of these may edit a post; false for all if there is no such post. */
export async function whoMayEdit({ services }: Demo, post: string, users: string[]): Promise<string[]> {
  const { row } = await services.posts.look(post);
  if (!row) return [];
  const may = await Promise.all(users.map((user) => services.readers.check({ user, post, permission: 'edit' })));
  return users.filter((_, index) => may[index]);
}

/** What both stores hold, for people. */
export async function show(session: Session, demo: Demo, post: string, users: string[]): Promise<void> {
  const both = await demo.stores.both(post);
  const { row, generation, authors, fences } = both ?? { generation: 0, authors: [], fences: [] };
  const relationships = [
    ...authors.map((author) => `post:${post}#author@user:${author}`),
    ...fences.map((fence) => `post:${post}#fence@generation:${fence}`),
  ];
  const may = await whoMayEdit(demo, post, users);
  const answers = users.map((user) => `${user} may${may.includes(user) ? '' : ' not'} edit it`);
  session.print('');
  session.print(
    `  PostgreSQL  ${row ? `${post} is ${row.status}, of ${row.author}` : 'no row'}, generation ${generation}`,
  );
  session.print(`  SpiceDB     ${relationships.join(', ') || 'nothing'}`);
  session.print(`  Check       ${answers.join(', ')}`);
}

/**
 * The promise, in both stores and for readers.
 * @param author whose the post must be; undefined if it must be gone
 * @throws BrokenPromise unless exactly this author has it, and both stores agree
 */
export async function expectPost(
  demo: Demo,
  post: string,
  { author, generation }: { author: string | undefined; generation: number },
  users: string[],
): Promise<void> {
  expectSame(
    `what both stores hold of ${post}`,
    {
      row: author === undefined ? undefined : { author, status: 'active' },
      generation,
      authors: author === undefined ? [] : [author],
      fences: [String(generation)],
    },
    sorted(await demo.stores.both(post)),
  );
  expectSame('disagreements of the stores', [], await demo.stores.disagreements(post));
  expectSame('who may edit it', author === undefined ? [] : [author], await whoMayEdit(demo, post, users));
  if (author !== undefined) {
    const listed: string[] = [];
    for await (const one of demo.services.readers.list({ user: author })) if (one === post) listed.push(one);
    expectSame(`${post} in the list of ${author}`, [post], listed);
  }
}

/** In the order in which it is compared. */
function sorted(both: Awaited<ReturnType<Demo['stores']['both']>>) {
  if (!both) return both;
  const { row, generation, authors, fences } = both;
  return { row: row && { author: row.author, status: row.status }, generation, authors, fences };
}

/** @throws BrokenPromise unless the workflow has ended like this */
export function expectStatus<Status extends string>(outcome: { status: string }, expected: Status): void {
  if (outcome.status !== expected) throw new BrokenPromise('outcome of the workflow', expected, outcome);
}
