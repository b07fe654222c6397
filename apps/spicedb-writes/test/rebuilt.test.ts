import { readFile } from 'node:fs/promises';
import { joinStack, type Stack } from '@repo/dev-stack';
import { timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { Stores } from '../src/extras/invariants.ts';
import { createServices, type Services } from '../src/services.ts';
import { changesBy } from './changes.ts';
import { createWorld, type World } from './world.ts';

let env: TestWorkflowEnvironment;
let world: World;
let empty: Stack;
/** The same posts, with a SpiceDB that has lost everything. */
let services: Services;
let stores: Stores;

beforeAll(async () => {
  [env, world, empty] = await Promise.all([
    timeSkippingEnvironment(),
    createWorld(),
    joinStack({ need: ['spicedb'], ephemeral: true, ignoreEnvironment: true }),
  ]);
  const { endpoint = '', token = '' } = empty.spicedb ?? {};
  const config = { ...world.env, SPICEDB_ENDPOINT: endpoint, SPICEDB_TOKEN: token };
  services = createServices(config);
  stores = new Stores(config);
});
afterAll(async () => {
  await Promise.all([services.close(), stores.close(), world.close()]);
  await empty.leave();
});

const startWorker = (taskQueue: string, { posts, permissions }: Services) =>
  Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities({ ...services, posts, permissions }),
  });

it('with SpiceDB emptied everything is closed, until mendPost has rebuilt it', async () => {
  const posts = ['bob', 'carol'].map((author) => ({ author, post: world.aPost() }));
  const before = changesBy(env.client, 'before');
  await (await startWorker('before', world.services)).runUntil(async () => {
    for (const each of posts) await before.outcomeOf('writePost', each);
  });
  const checks = () =>
    Promise.all(posts.map(({ author, post }) => services.readers.check({ user: author, post, permission: 'view' })));
  const [first] = posts;
  const listed = async () => {
    const found: string[] = [];
    for await (const post of services.readers.list({ user: first?.author ?? '' })) found.push(post);
    return found;
  };

  // Without a schema, there is no answer; with one, the tokens of before are of no use, and nobody may see anything.
  await expect(checks()).rejects.toMatchObject({ type: 'PermissionsSchemaMissing' });
  await services.permissions.writeSchema(await readFile(new URL('../schema.zed', import.meta.url), 'utf8'));
  expect(await checks()).toEqual([false, false]);
  expect(await listed()).toEqual([]);

  const after = changesBy(env.client, 'after');
  await (await startWorker('after', services)).runUntil(async () => {
    for (const { post } of posts) {
      expect(await after.outcomeOf('mendPost', { post })).toEqual({ status: 'mended', post });
    }
  });
  expect(await checks()).toEqual([true, true]);
  expect(await listed()).toEqual([first?.post]);
  expect(await stores.disagreements()).toEqual([]);
});
