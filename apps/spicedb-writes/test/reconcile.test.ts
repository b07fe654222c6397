import { joinStack } from '@repo/dev-stack';
import { createPermissions } from '@repo/permissions';
import { quietRuntime, temporalAddress, turnOnSchedule, workflowBundle } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { postWorkflowId } from '../src/contract.ts';
import { Stores } from '../src/extras/invariants.ts';
import { requireReady } from '../src/extras/local-stores.ts';
import { writeSchema } from '../src/extras/migrate.ts';
import { changePost, startChange } from '../src/extras/posts.ts';
import { mendOne, reconcile } from '../src/extras/reconcile.ts';
import { Records } from '../src/extras/reconcile-stores.ts';
import { createServices, type Services } from '../src/services.ts';
import { createWorld, type World } from './world.ts';

const taskQueue = 'spicedb-writes-reconcile';
let world: World;
let client: Client;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;
let records: Records;
let byHand: pg.Pool;
/** The posts of this file: the others in SpiceDB are those of other files. */
let prefix: string;

const createWorker = (services: Services, queue: string) =>
  Worker.create({
    connection: native,
    taskQueue: queue,
    workflowBundle: workflowBundle(),
    activities: createActivities(services),
  });

beforeAll(async () => {
  quietRuntime();
  process.env.TASK_QUEUE = taskQueue;
  const address = temporalAddress();
  [world, native] = await Promise.all([createWorld(), NativeConnection.connect({ address })]);
  client = new Client({ connection: await Connection.connect({ address }) });
  prefix = world.aPost().replace(/1$/, '');
  records = new Records(world.env.DATABASE_URL);
  byHand = new pg.Pool({ connectionString: world.env.DATABASE_URL });
  worker = await createWorker(world.services, taskQueue);
  running = worker.run();
});
afterEach(async () => {
  await world.mend();
  expect(await world.disagreements()).toEqual([]);
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await Promise.all([native.close(), client.connection.close(), records.close(), byHand.end(), world.close()]);
});

interface Turn {
  graceMs?: number;
  dryRun?: boolean;
  only?: string;
  stores?: Stores;
  of?: Records;
}

/** What one turn says, by the post: what it does, or why a person has to look. */
async function turn({ graceMs = 0, dryRun = false, only = prefix, stores = world.stores, of = records }: Turn = {}) {
  const said: Record<string, string> = {};
  const { permissions } = stores;
  for await (const finding of reconcile({ client, permissions, records: of, graceMs, dryRun, prefix: only })) {
    said[finding.post] = finding.action === 'needs attention' ? finding.why : finding.action;
  }
  return said;
}

const aWrittenPost = async (author = 'bob') => {
  const post = world.aPost();
  expect(await changePost(client, 'writePost', { post, author })).toMatchObject({ status: 'written' });
  return post;
};
const ofPost = (post: string, author: string) => ({
  resource: { type: 'post', id: post },
  relation: 'author',
  subject: { type: 'user', id: author },
});
const fenceOf = (post: string, generation: number) => ({
  resource: { type: 'post', id: post },
  relation: 'fence',
  subject: { type: 'generation', id: String(generation) },
});
const grant = (...relationships: ReturnType<typeof ofPost>[]) =>
  world.stores.permissions.write({
    updates: relationships.map((relationship) => ({ operation: 'touch', relationship })),
  });
const revokeAll = (post: string, relation?: string) =>
  world.stores.permissions.delete({
    filter: { resourceType: 'post', resourceId: post, ...(relation && { relation }) },
  });

const several = <Item>(count: number, of: (index: number) => Item) => Array.from({ length: count }, (_, i) => of(i));

/** A post whose change has written the row and not the relationship, and its workflow. */
async function halfWritten() {
  await world.spicedb.down();
  const post = world.aPost();
  const handle = await startChange(client, 'writePost', { post, author: 'bob' });
  await vi.waitFor(
    async () => expect((await world.stores.both(post))?.row).toEqual({ author: 'bob', status: 'pending' }),
    10_000,
  );
  return { post, handle };
}

describe('drift', () => {
  it('both ways is found, mended, and gone the second time; a dry run changes nothing', async () => {
    const [ungranted, rowless, stolen, shared, unfenced, refenced] = await Promise.all(
      Array.from({ length: 6 }, () => aWrittenPost()),
    );
    const [ghost, deleted] = [world.aPost(), await aWrittenPost()];
    await changePost(client, 'deletePost', { post: deleted });
    const posts = [ungranted, rowless, stolen, shared, unfenced, refenced, ghost, deleted] as string[];
    await revokeAll(ungranted ?? '', 'author');
    await byHand.query('DELETE FROM posts WHERE post = $1', [rowless]);
    await revokeAll(stolen ?? '', 'author');
    await grant(ofPost(stolen ?? '', 'eve'), ofPost(shared ?? '', 'eve'), ofPost(ghost, 'eve'), ofPost(deleted, 'bob'));
    await revokeAll(unfenced ?? '', 'fence');
    await changePost(client, 'transferPost', { post: refenced ?? '', to: 'carol' });
    await world.stores.permissions.write({
      updates: [{ operation: 'touch', relationship: fenceOf(refenced ?? '', 1) }],
    });

    const before = await Promise.all(posts.map((post) => world.stores.both(post)));
    expect(await turn({ dryRun: true })).toEqual(Object.fromEntries(posts.map((post) => [post, 'to mend'])));
    expect(await Promise.all(posts.map((post) => world.stores.both(post)))).toEqual(before);

    expect(await turn()).toEqual(Object.fromEntries(posts.map((post) => [post, 'mended'])));
    const owners = await Promise.all(posts.map(async (post) => (await world.stores.both(post))?.authors.join()));
    expect(owners).toEqual(['bob', '', 'bob', 'bob', 'bob', 'carol', '', '']);
    const after = await Promise.all(posts.map((post) => world.stores.both(post)));
    expect(await turn()).toEqual({});
    expect(await Promise.all(posts.map((post) => world.stores.both(post)))).toEqual(after);
  });

  it.each(['9007199254740991', '+1', '01', '0x1', '1e0'])('a fence %s in place of 1 is replaced', async (fence) => {
    const [post, ghost] = [await aWrittenPost(), world.aPost()];
    await revokeAll(post, 'fence');
    const byHandOf = (id: string) => ({ ...fenceOf(id, 1), subject: { type: 'generation', id: fence } });
    await grant(byHandOf(post), byHandOf(ghost));
    expect(await turn()).toEqual({ [post]: 'mended', [ghost]: 'mended' });
    expect(await world.stores.both(post)).toMatchObject({ generation: 2, authors: ['bob'], fences: ['2'] });
    const transferred = await changePost(client, 'transferPost', { post, to: 'carol' });
    expect(transferred).toMatchObject({ status: 'transferred' });
    expect(await turn()).toEqual({});
  });

  it('of more than one write can hold is mended as well', async () => {
    const [crowded, unfenced] = [await aWrittenPost(), await aWrittenPost()];
    await revokeAll(unfenced, 'fence');
    await grant(...[crowded, unfenced].flatMap((post) => several(1_500, (index) => ofPost(post, `eve-${index}`))));
    await grant(...several(1_500, (index) => fenceOf(crowded, index + 2)));
    expect(await turn()).toEqual({ [crowded]: 'mended', [unfenced]: 'mended' });
    const { generation, ...held } = (await world.stores.both(crowded)) ?? {};
    expect(held).toMatchObject({ authors: ['bob'], fences: [String(generation)] });
    expect((await world.stores.both(unfenced))?.authors).toEqual(['bob']);
    expect(await turn()).toEqual({});
  });

  it('on a later page of either store is found as well', async () => {
    const known = Array.from({ length: 505 }, (_, index) => `${prefix}page-${String(index).padStart(4, '0')}`);
    const [unfenced = '', ghost] = [known.at(-1), `${prefix}page-z`];
    await byHand.query(
      `INSERT INTO post_generations (post, generation, change) SELECT post, 1, 'delete' FROM unnest($1::text[]) AS post`,
      [known],
    );
    const fences = known.filter((post) => post !== unfenced).map((post) => fenceOf(post, 1));
    const write = (operation: 'touch' | 'delete') =>
      world.stores.permissions.write({ updates: fences.map((relationship) => ({ operation, relationship })) });
    await write('touch');
    await grant(ofPost(ghost, 'eve'));
    const only = `${prefix}page-`;
    expect(await turn({ only })).toEqual({ [unfenced]: 'mended', [ghost]: 'mended' });
    expect(await turn({ only })).toEqual({});

    // Out of the way of the tests that follow.
    await write('delete');
    await Promise.all([revokeAll(unfenced), revokeAll(ghost)]);
    await byHand.query('DELETE FROM post_generations WHERE starts_with(post, $1)', [only]);
  });
});

describe('a change that was terminated between the two writes', () => {
  it('is finished once it is older than the grace period', async () => {
    const { post, handle } = await halfWritten();
    await handle.terminate();
    await world.mend();
    expect(await turn({ graceMs: 60_000 })).toEqual({});
    expect(await turn({ dryRun: true })).toEqual({ [post]: 'to mend' });
    expect((await world.stores.both(post))?.row?.status).toBe('pending');
    expect(await turn()).toEqual({ [post]: 'mended' });
    expect(await world.stores.both(post)).toMatchObject({ row: { status: 'active' }, authors: ['bob'] });
    expect(await turn()).toEqual({});
  });
});

describe('a healthy run', () => {
  it('is never touched, however long it takes; a person hears of it after the grace period', async () => {
    const { post, handle } = await halfWritten();
    const why = expect.stringMatching(/^under way for 0 min on task queue spicedb-writes-reconcile: does a worker/);
    for (const dryRun of [true, false]) {
      expect(await turn({ dryRun, graceMs: 60_000 })).toEqual({});
      expect(await turn({ dryRun })).toEqual({ [post]: why });
    }
    expect(await world.stores.both(post)).toMatchObject({ generation: 1, row: { status: 'pending' }, authors: [] });
    await world.mend();
    expect(await handle.result()).toMatchObject({ status: 'written' });
    expect(await world.stores.both(post)).toMatchObject({ generation: 1, authors: ['bob'] });
    expect(await turn()).toEqual({});
  });

  it('is not mistaken for drift while posts come, change hands and go', async () => {
    const changing = Promise.all(
      Array.from({ length: 4 }, async () => {
        const post = await aWrittenPost();
        await changePost(client, 'transferPost', { post, to: 'carol' });
        await changePost(client, 'deletePost', { post });
        await changePost(client, 'writePost', { post, author: 'bob' });
        expect(await world.stores.both(post)).toMatchObject({ generation: 4, authors: ['bob'] });
      }),
    );
    let isOver = false;
    void changing.finally(() => {
      isOver = true;
    });
    let turns = 0;
    do {
      // Without any grace, one that is not at its end yet may be told of.
      const said = Object.values(await turn()).filter((one) => !one.startsWith('under way for 0 min'));
      expect(said).toEqual([]);
      turns += 1;
    } while (!isOver);
    await changing;
    expect(turns).toBeGreaterThan(1);
  });
});

describe('what nobody but a person can decide', () => {
  it('a row that was changed by hand: nothing is done, until that person says what is right', async () => {
    const [wrong, right] = [await aWrittenPost(), await aWrittenPost()];
    await byHand.query(`UPDATE posts SET author = 'eve' WHERE post = ANY($1)`, [[wrong, right]]);
    const why = expect.stringMatching(/contradicts itself: the row says eve, its last change bob/);
    expect(await turn()).toEqual({ [wrong]: why, [right]: why });
    expect(await world.stores.both(wrong)).toMatchObject({ generation: 1, authors: ['bob'] });

    await changePost(client, 'transferPost', { post: wrong, to: 'bob' });
    await mendOne(client, right);
    expect(await turn()).toEqual({});
    expect((await world.stores.both(wrong))?.authors).toEqual(['bob']);
    expect((await world.stores.both(right))?.authors).toEqual(['eve']);
  });

  it('a row that is there again after the post was deleted: nobody may see more of it, until that person says so', async () => {
    const [deleted, restored] = [await aWrittenPost(), await aWrittenPost()];
    for (const post of [deleted, restored]) {
      await changePost(client, 'deletePost', { post });
      await byHand.query(`INSERT INTO posts VALUES ($1, 'mallory', 'active', 'x')`, [post]);
    }
    const why = expect.stringMatching(/contradicts itself: there is a row of mallory, its last change .* deleted/);
    for (const dryRun of [true, false]) expect(await turn({ dryRun })).toEqual({ [deleted]: why, [restored]: why });
    for (const post of [deleted, restored]) expect((await world.stores.both(post))?.authors).toEqual([]);

    await changePost(client, 'deletePost', { post: deleted });
    await mendOne(client, restored);
    expect(await turn()).toEqual({});
    expect((await world.stores.both(deleted))?.row).toBeUndefined();
    expect((await world.stores.both(restored))?.authors).toEqual(['mallory']);
  });

  it('a change that is unfinished, and that Temporal does not know (any more)', async () => {
    const post = world.aPost();
    await world.services.posts.begin({ change: 'write', post, author: 'bob', seen: 0, generation: 1 });
    expect(await turn()).toEqual({ [post]: expect.stringMatching(/^Temporal has no workflow of it \(any more\)/) });
    expect(await world.stores.both(post)).toMatchObject({ row: { status: 'pending' }, authors: [] });
    await mendOne(client, post);
    expect(await turn()).toEqual({});
    expect(await world.stores.both(post)).toMatchObject({ row: { status: 'active' }, authors: ['bob'] });
  });

  /** Every workflow as after five minutes of failures, which nobody waits for here. */
  function alarmed() {
    const getHandle = client.workflow.getHandle.bind(client.workflow);
    return vi.spyOn(client.workflow, 'getHandle').mockImplementation((id) => {
      const handle = getHandle(id);
      const describe = async () =>
        Object.assign(await handle.describe(), { typedSearchAttributes: { get: () => 'needs-attention' } });
      return { ...handle, describe } as never;
    });
  }

  it('a change that keeps failing: it is not touched, and told of at once', async () => {
    const { post, handle } = await halfWritten();
    const alarm = alarmed();
    const said = await turn({ only: post, graceMs: 60_000 }).finally(() => alarm.mockRestore());
    expect(said).toEqual({ [post]: expect.stringMatching(/still being tried/) });
    expect(await world.stores.both(post)).toMatchObject({ generation: 1, row: { status: 'pending' } });
    await world.mend();
    await handle.result();
  });

  it('a mending that keeps failing: it is not waited for, and told of', async () => {
    const { post, handle } = await halfWritten();
    await handle.terminate();
    const alarm = alarmed();
    const said = await turn({ only: post }).finally(() => alarm.mockRestore());
    expect(said).toEqual({ [post]: expect.stringMatching(/still being tried/) });
    await world.mend();
    expect(await client.workflow.getHandle(handle.workflowId).result()).toMatchObject({ status: 'mended' });
  });

  it('a mending that nobody serves: the turn of a schedule says so, and does not wait for ever', async () => {
    const post = await aWrittenPost();
    await revokeAll(post, 'author');
    vi.stubEnv('TASK_QUEUE', 'served-by-nobody');
    const { permissions } = world.stores;
    const all = reconcile({ client, permissions, records, graceMs: 0, prefix: post, workerWithinMs: 1 });
    const said = all.next().finally(() => vi.unstubAllEnvs());
    await expect(said).rejects.toMatchObject({
      message: 'Nobody serves task queue served-by-nobody, so nothing is mended.',
      nextStep: expect.stringMatching(/^Start a worker: TASK_QUEUE=served-by-nobody /),
    });
    await client.workflow.getHandle(postWorkflowId(post)).terminate();
    expect(await turn({ only: post })).toEqual({ [post]: 'mended' });
  });

  it('a mending that somebody terminates', async () => {
    const { post, handle } = await halfWritten();
    await handle.terminate();
    const saying = turn({ only: post });
    const mending = client.workflow.getHandle(handle.workflowId);
    await vi.waitFor(async () => expect((await mending.describe()).type).toBe('mendPost'), 10_000);
    await mending.terminate();
    expect(await saying).toEqual({ [post]: 'its mending was terminated; run this again' });
    await world.mend();
    expect(await turn({ only: post })).toEqual({ [post]: 'mended' });
  });

  it('a PostgreSQL without any post: it may be the wrong one, so nothing is revoked', async () => {
    const other = await createWorld();
    const empty = new Records(other.env.DATABASE_URL);
    const post = await aWrittenPost();
    const said: unknown[] = [];
    const { permissions } = other.stores;
    for await (const one of reconcile({ client, permissions, records: empty, graceMs: 0, prefix: post }))
      said.push(one);
    await empty.close();
    await other.close();
    const why = expect.stringMatching(/is DATABASE_URL the right one\?/);
    expect(said).toEqual([{ post, drift: expect.any(String), action: 'needs attention', why }]);
    expect((await world.stores.both(post))?.authors).toEqual(['bob']);
  });
});

it('SpiceDB that has lost everything is rebuilt by migrate and reconcile', async () => {
  const [full, stack] = await Promise.all([
    createWorld(),
    joinStack({ need: ['spicedb'], ephemeral: true, ignoreEnvironment: true }),
  ]);
  const { endpoint = '', token = '' } = stack.spicedb ?? {};
  const config = { ...full.env, SPICEDB_ENDPOINT: endpoint, SPICEDB_TOKEN: token };
  const [services, stores, of] = [createServices(config), new Stores(config), new Records(full.env.DATABASE_URL)];
  const queue = `${taskQueue}-rebuilt`;
  process.env.TASK_QUEUE = queue;
  try {
    const [post, other, gone] = [full.aPost(), full.aPost(), full.aPost()];
    const only = post.replace(/1$/, '');
    await (await createWorker(full.services, queue)).runUntil(async () => {
      await changePost(client, 'writePost', { post, author: 'bob' });
      await changePost(client, 'writePost', { post: other, author: 'carol' });
      await changePost(client, 'writePost', { post: gone, author: 'bob' });
      await changePost(client, 'deletePost', { post: gone });
    });
    const may = (user: string, which: string) => services.readers.check({ user, post: which, permission: 'edit' });
    await (await createWorker(services, queue)).runUntil(async () => {
      const nextStep = 'Run: pnpm --filter spicedb-writes migrate';
      await expect(requireReady(services)).rejects.toMatchObject({ name: 'OperatorError', nextStep });
      expect(await writeSchema(services.permissions)).toBe('written');
      await requireReady(services);
      expect([await may('bob', post), await may('carol', other)]).toEqual([false, false]);
      const mended = { [post]: 'mended', [other]: 'mended', [gone]: 'mended' };
      expect(await turn({ only, stores, of })).toEqual(mended);
      expect([await may('bob', post), await may('carol', other), await may('bob', other)]).toEqual([true, true, false]);
      expect(await stores.disagreements(only)).toEqual([]);
      expect(await turn({ only, stores, of })).toEqual({});
    });
  } finally {
    process.env.TASK_QUEUE = taskQueue;
    await Promise.all([services.close(), stores.close(), of.close(), full.close()]);
    await stack.leave();
  }
});

it("migrate keeps what others have in the same SpiceDB's schema, and writes nothing the second time", async () => {
  const stack = await joinStack({ need: ['spicedb'], ephemeral: true, ignoreEnvironment: true });
  const { endpoint = '', token = '' } = stack.spicedb ?? {};
  const permissions = createPermissions({ SPICEDB_ENDPOINT: endpoint, SPICEDB_TOKEN: token });
  try {
    const folder =
      'definition user {\n\trelation friend: user\n}\n\n/** Of others. */\ndefinition folder {\n\trelation owner: user\n\tpermission open = owner\n}\n';
    await permissions.writeSchema(`${folder}\ndefinition post {\n\trelation author: user\n}\n`);
    expect(await writeSchema(permissions)).toBe('written');
    const schema = (await permissions.readSchema()) ?? '';
    for (const part of ['relation friend: user', 'definition folder', 'permission open = owner', 'relation fence']) {
      expect(schema).toContain(part);
    }
    expect(schema.match(/^definition/gm)).toHaveLength(4);
    expect(await writeSchema(permissions)).toBe('unchanged');
    expect(await permissions.readSchema()).toBe(schema);
  } finally {
    permissions.close();
    await stack.leave();
  }
});

it('the schedule does the same, with a worker of its own, for the posts that it was told of', {
  timeout: 120_000,
}, async () => {
  const [ungranted, other] = [await aWrittenPost(), await aWrittenPost()];
  await Promise.all([revokeAll(ungranted, 'author'), revokeAll(other, 'author')]);
  const cli = new URL('../src/extras/cli.ts', import.meta.url);
  const options = ['--prefix', ungranted];
  expect(await turnOnSchedule({ client, cli, taskQueue, env: world.env, options })).toEqual({
    looked: expect.any(Number),
    putRight: {
      count: 1,
      first: [`${ungranted} belongs to bob in PostgreSQL, and to nobody in SpiceDB: mended`],
    },
    needAttention: { count: 0, first: [] },
  });
  expect((await world.stores.both(ungranted))?.authors).toEqual(['bob']);
  expect(await turn()).toEqual({ [other]: 'mended' });
});
