import type { Permissions } from '@repo/permissions';
import { MockActivityEnvironment } from '@temporalio/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Activities, type Applied, createActivities } from '../src/activities.ts';
import type { Change } from '../src/contract.ts';
import { readersOf } from '../src/services.ts';
import { createWorld, type World } from './world.ts';

let world: World;
let activities: Activities;

beforeAll(async () => {
  world = await createWorld();
  activities = createActivities(world.services);
});
afterAll(() => world.close());

/** A change whose row is closed and written in SpiceDB; `settle` ends it. */
async function begun(change: Change) {
  const { post, author } = change;
  const { posts } = world.services;
  const { generation: seen } = await posts.look(post);
  const generation = seen + 1;
  await posts.begin({ ...change, seen, generation });
  const environment = new MockActivityEnvironment({ startToCloseTimeoutMs: 5_000 });
  const applied = (await environment.run(activities.apply, { post, author, generation })) as Applied;
  if (applied.status !== 'done') throw new Error('there is a newer change');
  return { settle: () => posts.settle({ post, generation, token: applied.token }) };
}
const made = async (change: Change) => (await begun(change)).settle();

/** Readers whose SpiceDB is asked only after something has happened. */
const readersWith = (changes: Partial<Permissions>) =>
  readersOf(world.services.posts, { ...world.services.permissions, ...changes });

const listOf = async (readers: ReturnType<typeof readersOf>, user: string) => {
  const posts: string[] = [];
  for await (const post of readers.list({ user })) posts.push(post);
  return posts;
};

it('a check sees the write that has just been made, where an older answer is at hand', async () => {
  const post = world.aPost();
  const { permissions, posts } = world.services;
  const subject = { type: 'user', id: 'bob' };
  const question = { resource: { type: 'post', id: post }, permission: 'edit', subject };
  // SpiceDB answers quickly from a state of some seconds ago, which has to have a schema.
  const quickly = () => permissions.check({ ...question, consistency: 'minimize-latency' });
  expect((await vi.waitFor(quickly, 10_000)).allowed).toBe(false);
  await made({ change: 'write', post, author: 'bob' });
  const asked: unknown[] = [];
  const readers = readersWith({
    check: (request, options) => {
      asked.push(request.consistency);
      return permissions.check(request, options);
    },
  });
  expect(await readers.check({ user: 'bob', post, permission: 'edit' })).toBe(true);
  expect(asked).toEqual([{ atLeastAsFreshAs: (await posts.look(post)).row?.token }]);
});

it('a check is denied if the post is given to the user at that moment, and the change is not done', async () => {
  const post = world.aPost();
  await made({ change: 'write', post, author: 'bob' });
  const answers: boolean[] = [];
  const readers = readersWith({
    check: async (request, options) => {
      await begun({ change: 'transfer', post, author: 'carol' });
      // SpiceDB may always answer from a later state than it has to.
      const answer = await world.services.permissions.check({ ...request, consistency: 'full' }, options);
      answers.push(answer.allowed);
      return answer;
    },
  });
  expect(await readers.check({ user: 'carol', post, permission: 'edit' })).toBe(false);
  expect(answers).toEqual([true]);
});

it('a check whose token SpiceDB cannot use is as fresh as can be', async () => {
  const post = world.aPost();
  await made({ change: 'write', post, author: 'bob' });
  const byHand = new pg.Client({ connectionString: world.env.DATABASE_URL });
  await byHand.connect();
  await byHand.query('UPDATE posts SET token = $2 WHERE post = $1', [post, Buffer.from('no token').toString('base64')]);
  await byHand.end();
  const { readers } = world.services;
  expect(await readers.check({ user: 'bob', post, permission: 'edit' })).toBe(true);
  expect(await readers.check({ user: 'carol', post, permission: 'edit' })).toBe(false);
});

it('a list leaves out what is given away while it is made', async () => {
  const post = world.aPost();
  const bob = `bob-of-${post}`;
  await made({ change: 'write', post, author: bob });
  const readers = readersWith({
    async *resources(...request) {
      const found: string[] = [];
      for await (const one of world.services.permissions.resources(...request)) found.push(one);
      expect(found).toEqual([post]);
      await made({ change: 'transfer', post, author: 'carol' });
      yield* found;
    },
  });
  expect(await listOf(readers, bob)).toEqual([]);
});

it('a list has every post of a user, and each once', async () => {
  const posts = Array.from({ length: 45 }, () => world.aPost());
  const user = `reader-${posts[0]}`;
  for (const post of posts) await made({ change: 'write', post, author: user });
  await begun({ change: 'delete', post: posts[7] ?? '' });
  expect((await listOf(world.services.readers, user)).sort()).toEqual(posts.filter((_, index) => index !== 7).sort());
});

it('a post that does not exist is refused by field', async () => {
  const question = { user: 'bob', post: world.aPost(), permission: 'edit' } as const;
  await expect(world.services.readers.check(question)).rejects.toMatchObject({
    name: 'InvalidInputError',
    fields: [{ field: 'post', message: 'is not known' }],
  });
});
