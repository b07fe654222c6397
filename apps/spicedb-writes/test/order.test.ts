import { temporalAddress, workflowBundle } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { changesBy } from './changes.ts';
import { createWorld, type World } from './world.ts';

let world: World;
let connection: Connection;
const name = 'spicedb-writes-order';
const queue = { namespace: 'default', taskQueue: { name } };

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  world = await createWorld();
  connection = await Connection.connect({ address: temporalAddress() });
});
afterAll(() => Promise.all([connection.close(), world.close()]));

it('SPI-6 the task queue has one partition', async () => {
  const answer = await connection.workflowService.listTaskQueuePartitions(queue);
  const keys = [answer.workflowTaskQueuePartitions, answer.activityTaskQueuePartitions].map((partitions) =>
    partitions?.map(({ key }) => key),
  );
  expect(keys).toEqual([[name], [name]]);
});

it('SPI-6 so changes that wait for a worker are taken in the order in which they came to the queue', async () => {
  const { start } = changesBy(new Client({ connection }), name);
  const waiting = async () => {
    const workflowTasks = 1;
    const question = { ...queue, taskQueueType: workflowTasks, includeTaskQueueStatus: true };
    const { taskQueueStatus } = await connection.workflowService.describeTaskQueue(question);
    return Number(taskQueueStatus?.backlogCountHint ?? 0);
  };
  const posts = Array.from({ length: 8 }, () => world.aPost());
  const handles = [];
  for (const post of posts) {
    handles.push(await start('writePost', { post, author: 'bob' }));
    // From the start to the queue, one may overtake another.
    await vi.waitFor(async () => expect(await waiting()).toBe(handles.length), 20_000);
  }
  const activities = createActivities(world.services);
  const order: string[] = [];
  const native = await NativeConnection.connect({ address: temporalAddress() });
  const worker = await Worker.create({
    connection: native,
    taskQueue: name,
    workflowBundle: workflowBundle(),
    activities: {
      ...activities,
      look: (request: { post: string }) => {
        order.push(request.post);
        return activities.look(request);
      },
    },
    // One at a time: of two that are taken in order, either may be done first.
    maxConcurrentWorkflowTaskExecutions: 1,
    maxConcurrentWorkflowTaskPolls: 1,
    maxCachedWorkflows: 0,
    maxConcurrentActivityTaskExecutions: 1,
    maxConcurrentActivityTaskPolls: 1,
  });
  await worker.runUntil(Promise.all(handles.map((handle) => handle.result())));
  await native.close();
  expect(order).toEqual(posts);
  expect(await world.disagreements()).toEqual([]);
});
