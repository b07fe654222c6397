import { type DoomedWorkers, doomedWorkers, killPoints, sample, temporalAddress } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postWorkflowId } from '../src/contract.ts';
import { createWorld, type World } from './world.ts';

/**
 * The worker dies at each point of a change, and another one goes on: `pnpm torture`. In `pnpm test`, a slice of it; SEED
 * takes another one.
 */
const seed = Number(process.env.SEED ?? 1);
// A change takes four activities, and an activation before each and after the last.
const all = killPoints(5, 4);

let world: World;
let client: Client;
let workers: DoomedWorkers;

beforeAll(async () => {
  const making = doomedWorkers({
    workflows: new URL('../src/workflows.ts', import.meta.url),
    program: new URL('./kill-matrix-worker.ts', import.meta.url),
    env: () => world.env,
  });
  [world, workers] = await Promise.all([createWorld(), making]);
  client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
});
afterAll(() => Promise.all([client.connection.close(), world.close(), workers.close()]));

/** The post as it would be after a change, made past Temporal. */
async function written(post: string, author: string) {
  const { posts, permissions } = world.services;
  await posts.begin({ change: 'write', post, author, seen: 0, generation: 1 });
  const relationship = (relation: string, type: string, id: string) => ({
    operation: 'touch' as const,
    relationship: { resource: { type: 'post', id: post }, relation, subject: { type, id } },
  });
  const { token } = await permissions.write({
    updates: [relationship('author', 'user', author), relationship('fence', 'generation', '1')],
  });
  await posts.settle({ post, generation: 1, token });
}

describe.concurrent.each([
  ['writePost', (post: string) => ({ post, author: 'carol' }), 'carol', 0],
  ['transferPost', (post: string) => ({ post, to: 'carol' }), 'carol', 1],
  ['deletePost', (post: string) => ({ post }), undefined, 2],
] as const)('ALL-14 %s', (type, request, owner, which) => {
  const points = process.env.TORTURE === 'all' ? all : sample(all, 1, 3 * seed + which);
  it.each(points)(`survives the death of its worker: $at $n (seed ${seed})`, async (point) => {
    const post = world.aPost();
    if (type !== 'writePost') await written(post, 'bob');
    const doomed = await workers.start(post, point);
    const handle = await client.workflow.start(type, {
      workflowId: postWorkflowId(post),
      taskQueue: post,
      args: [request(post)],
      workflowTaskTimeout: '1 second',
    });
    const ended = handle.result() as Promise<{ status: string }>;
    // Or this point is not one of this change's, and nothing has been shown.
    expect(await Promise.race([doomed.exited.then(() => 'died'), ended])).toBe('died');
    const next = await workers.start(post);
    expect((await ended).status).toMatch(/^(written|transferred|deleted)$/);
    await Promise.all([doomed.kill(), next.stop()]);
    const generation = type === 'writePost' ? 1 : 2;
    expect(await world.stores.both(post)).toEqual({
      ...(owner && { row: { author: owner, status: 'active' } }),
      generation,
      authors: owner ? [owner] : [],
      fences: [String(generation)],
    });
  });
});
