import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Activities, createActivities } from '../src/activities.ts';
import type { Change } from '../src/contract.ts';
import { createWorld, type World } from './world.ts';

let world: World;
let activities: Activities;

beforeAll(async () => {
  world = await createWorld();
  activities = createActivities(world.services);
});
afterAll(() => world.close());
afterEach(() => world.mend());

const anAttempt = () =>
  new MockActivityEnvironment({ startToCloseTimeoutMs: 5_000 }, { logger: new DefaultLogger('ERROR') });

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** One activity, as a worker runs it. */
function run<Name extends keyof Activities>(name: Name, input: Parameters<Activities[Name]>[0]) {
  const environment = anAttempt();
  return environment.run(activities[name] as never, input as never) as ReturnType<Activities[Name]>;
}

const steps = ['begin', 'apply', 'settle'] as const;

/** The steps of a change, from the generation that is there, up to one of them. */
async function change(change: Change, last: (typeof steps)[number] = 'settle') {
  const { post, author } = change;
  const { generation: seen } = await run('look', { post });
  const generation = seen + 1;
  const begun = await run('begin', { ...change, seen, generation });
  if (last === 'begin') return { begun };
  const applied = await run('apply', { post, author, generation });
  if (last === 'apply' || applied.status !== 'done') return { begun, applied };
  return { begun, applied, settled: await run('settle', { post, generation, token: applied.token }) };
}

const may = (user: string, post: string) => world.services.readers.check({ user, post, permission: 'edit' });
const listed = async (user: string) => {
  const posts: string[] = [];
  for await (const post of world.services.readers.list({ user })) posts.push(post);
  return posts;
};

describe('SPI-7 a change that stops after', () => {
  const changes = {
    write: (post: string): Change => ({ change: 'write', post, author: 'carol' }),
    transfer: (post: string): Change => ({ change: 'transfer', post, author: 'carol' }),
    delete: (post: string): Change => ({ change: 'delete', post }),
  };
  const unfinished = { write: 'pending', transfer: 'transferring', delete: 'deleting' };

  describe.each(['write', 'transfer', 'delete'] as const)('a step of a %s', (which) => {
    it.each(['begin', 'apply'] as const)(
      '%s: nobody sees the post, and the rest of the steps ends it',
      async (last) => {
        const post = world.aPost();
        const owner = `owner-of-${post}`;
        if (which !== 'write') await change({ change: 'write', post, author: owner });
        await change(changes[which](post), last);

        expect([await may(owner, post), await may('carol', post)]).toEqual([false, false]);
        expect(await listed(owner)).toEqual([]);
        expect(await listed('carol')).not.toContain(post);
        expect(await world.stores.both(post)).toMatchObject({ row: { status: unfinished[which] } });

        const { generation } = await run('look', { post });
        const applied = await run('apply', { post, author: changes[which](post).author, generation });
        if (applied.status !== 'done') throw new Error('the change was refused');
        expect(await run('settle', { post, generation, token: applied.token })).toBe(true);
        expect(await world.disagreements()).toEqual([]);
        if (which === 'delete') {
          expect(await world.stores.both(post)).toEqual({ generation, authors: [], fences: [String(generation)] });
          await expect(may(owner, post)).rejects.toMatchObject({
            fields: [{ field: 'post', message: 'is not known' }],
          });
        } else {
          expect([await may(owner, post), await may('carol', post)]).toEqual([false, true]);
          expect(await listed('carol')).toContain(post);
        }
      },
    );
  });
});

describe('a write that comes late', () => {
  it('after a newer revoke, does not bring the grant back', async () => {
    const post = world.aPost();
    await change({ change: 'write', post, author: 'bob' });
    await change({ change: 'delete', post });
    expect(await run('apply', { post, author: 'bob', generation: 1 })).toEqual({ status: 'stale', fence: 2 });
    expect(await world.stores.both(post)).toEqual({ generation: 2, authors: [], fences: ['2'] });
  });

  it('between the reading of the fence and the write, loses against the newer revoke', async () => {
    const post = world.aPost();
    await change({ change: 'write', post, author: 'bob' }, 'begin');
    // The old attempt has read that there is no fence, and stands still before its write.
    const { permissions } = world.services;
    const [reached, goOn] = [gate(), gate()];
    const write: typeof permissions.write = async (...request) => {
      reached.open();
      await goOn.opened;
      return permissions.write(...request);
    };
    const slow = createActivities({ ...world.services, permissions: { ...permissions, write } });
    const late = anAttempt().run(slow.apply, { post, author: 'bob', generation: 1 });
    await reached.opened;
    await change({ change: 'delete', post });
    goOn.open();
    expect(await late).toEqual({ status: 'stale', fence: 2 });
    expect(await world.stores.both(post)).toEqual({ generation: 2, authors: [], fences: ['2'] });
  });

  it('at a post that was changed meanwhile, is refused by PostgreSQL', async () => {
    const post = world.aPost();
    await change({ change: 'write', post, author: 'bob' });
    await change({ change: 'transfer', post, author: 'carol' });
    const before = await world.stores.both(post);
    expect(await run('begin', { change: 'write', post, author: 'bob', seen: 0, generation: 1 })).toBe(false);
    expect(await run('settle', { post, generation: 1, token: 'of the first write' })).toBe(false);
    expect(await world.stores.both(post)).toEqual(before);
    expect(await may('carol', post)).toBe(true);
  });
});

describe('every step', () => {
  it('taken twice, changes nothing the second time', async () => {
    for (const each of [
      { change: 'write', author: 'bob' },
      { change: 'transfer', author: 'carol' },
      { change: 'delete' },
    ] as const) {
      const post = world.aPost();
      if (each.change !== 'write') await change({ change: 'write', post, author: 'bob' });
      const { generation: seen } = await run('look', { post });
      const generation = seen + 1;
      const whole = { ...each, post } as Change;
      const both = [];
      for (const twice of [1, 2]) {
        expect([twice, await run('begin', { ...whole, seen, generation })]).toEqual([twice, true]);
        both.push(await world.stores.both(post));
      }
      const applied = await run('apply', { post, author: whole.author, generation });
      expect(await run('apply', { post, author: whole.author, generation })).toMatchObject({ status: 'done' });
      const token = applied.status === 'done' ? applied.token : '';
      for (const _ of [1, 2]) {
        expect(await run('settle', { post, generation, token })).toBe(true);
        // Late ones, too: the change is over, and these are its own.
        expect(await run('begin', { ...whole, seen, generation })).toBe(true);
        both.push(await world.stores.both(post));
      }
      expect(both[1]).toEqual(both[0]);
      expect(both[3]).toEqual(both[2]);
      expect(await world.disagreements()).toEqual([]);
    }
  });

  it('of ten writers at once: one begins, and the post is its own', async () => {
    const post = world.aPost();
    const authors = Array.from({ length: 10 }, (_, index) => `writer-${index}`);
    const begun = await Promise.all(
      authors.map((author) => run('begin', { change: 'write', post, author, seen: 0, generation: 1 })),
    );
    const winners = authors.filter((_, index) => begun[index]);
    expect(winners).toHaveLength(1);
    expect(await world.stores.both(post)).toMatchObject({
      generation: 1,
      row: { author: winners[0], status: 'pending' },
    });
  });

  it('apply of ten generations at once: the newest one stays', async () => {
    const post = world.aPost();
    const generations = Array.from({ length: 10 }, (_, index) => index + 1);
    const applied = await Promise.all(
      generations.map((generation) => run('apply', { post, author: `writer-${generation}`, generation })),
    );
    expect(applied.at(-1)).toMatchObject({ status: 'done' });
    expect(await world.stores.both(post)).toMatchObject({ authors: ['writer-10'], fences: ['10'] });
  });
});

describe('a store that is down', () => {
  it.each([
    ['postgres', 'look', { post: 'p' }, 'DatabaseUnavailable'],
    ['postgres', 'begin', { change: 'delete', post: 'p', seen: 0, generation: 1 }, 'DatabaseUnavailable'],
    ['postgres', 'settle', { post: 'p', generation: 1, token: 't' }, 'DatabaseUnavailable'],
    ['spicedb', 'apply', { post: 'p', generation: 1 }, 'PermissionsUnavailable'],
    ['spicedb', 'inspect', { post: 'p' }, 'PermissionsUnavailable'],
  ] as const)('%s: %s fails with a type, to be tried again', async (store, name, input, type) => {
    await world[store].down();
    await expect(run(name, input as never)).rejects.toMatchObject({ type, nonRetryable: false });
  });

  it('lets nobody see a post', async () => {
    const post = world.aPost();
    await change({ change: 'write', post, author: 'bob' });
    expect(await may('bob', post)).toBe(true);
    await world.spicedb.down();
    await expect(may('bob', post)).rejects.toMatchObject({ type: 'PermissionsUnavailable' });
    await world.mend();
    await world.postgres.down();
    await expect(may('bob', post)).rejects.toMatchObject({ name: 'DatabaseUnavailable' });
  });
});

it('the role of the app cannot change tables', async () => {
  const { Pool } = await import('pg').then((module) => module.default);
  const pool = new Pool({ connectionString: world.env.DATABASE_URL });
  try {
    for (const statement of [
      'DROP TABLE posts',
      'ALTER TABLE posts ADD COLUMN x int',
      'CREATE TABLE more (x int)',
      'TRUNCATE posts',
    ]) {
      await expect(pool.query(statement)).rejects.toMatchObject({ code: '42501' });
    }
  } finally {
    await pool.end();
  }
});
