import { temporalAddress, workflowBundle } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { write } from '../src/starter.ts';
import { createWorld, type World } from './world.ts';

// On a real server: the time-skipping one has one clock, and is not made for many who wait at once.
let world: World;
let client: Client;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;
const taskQueue = 'at-once';

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  world = await createWorld();
  process.env.TASK_QUEUE = taskQueue;
  client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
  native = await NativeConnection.connect({ address: temporalAddress() });
  worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(world.services),
  });
  running = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await running;
  await Promise.all([native.close(), client.connection.close()]);
  await world.close();
});

it('a post of ten authors at once has one owner, and nine are refused by its name', async () => {
  const post = world.aPost();
  const authors = Array.from({ length: 10 }, (_, index) => `writer-${index}`);
  const outcomes = await Promise.all(authors.map((author) => write(client, { author, post }, 'ada')));
  const [owner] = authors.filter((_, index) => outcomes[index]?.status === 'written');
  expect(outcomes.filter((one) => one.status === 'refused' && one.reason.owner === owner)).toHaveLength(9);
  expect(await world.stores.both(post)).toEqual({
    row: { author: owner, status: 'active' },
    generation: 1,
    authors: [owner],
    fences: ['1'],
  });
});

it('author a-b with post c and author a with post b-c share no workflow', async () => {
  const post = world.aPost();
  const outcomes = await Promise.all([
    write(client, { author: 'a-b', post: `${post}-c` }, 'ada'),
    write(client, { author: 'a', post: `${post}-b-c` }, 'ada'),
  ]);
  expect(outcomes).toMatchObject([
    { status: 'written', author: 'a-b', already: false },
    { status: 'written', author: 'a', already: false },
  ]);
  expect(await world.disagreements()).toEqual([]);
});
