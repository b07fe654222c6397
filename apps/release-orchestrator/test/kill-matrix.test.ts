import { type DoomedWorkers, doomedWorkers, killPoints, sample, temporalAddress } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Environment } from '../src/contract.ts';
import { talk } from './talk.ts';
import { World } from './world.ts';

/**
 * The worker dies at each point of a release, and another one goes on: `pnpm torture`. In `pnpm test`, a slice of it; SEED
 * takes another one.
 */
const seed = Number(process.env.SEED ?? 1);

let world: World;
let client: Client;
let workers: DoomedWorkers;

beforeAll(async () => {
  const making = doomedWorkers({
    workflows: new URL('../src/workflows.ts', import.meta.url),
    program: new URL('./kill-matrix-worker.ts', import.meta.url),
    env: () => world.env,
  });
  [world, workers] = await Promise.all([World.create({ hosts: ['dev'] }), making]);
  client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
});
afterAll(() => Promise.all([client.connection.close(), world.end(), workers.close()]));

const endings = [
  { status: 'released', ill: [] as Environment[], points: killPoints(24, 17) },
  // Verified some times more, and rolled back.
  { status: 'failed', ill: ['dev'] as Environment[], points: killPoints(26, 20) },
];
const all = endings.flatMap(({ points, ...ending }) => points.map((point) => ({ ...ending, ...point, point })));

describe('REL-7 a release', () => {
  const some = process.env.TORTURE === 'all' ? all : sample(all, 1, seed);
  it.each(some)(`that ends $status survives the death of its worker: $at $n (seed ${seed})`, async (row) => {
    const { status, ill, point } = row;
    const request = await world.aRelease({
      deployables: [await world.deployable(undefined, ill)],
      environments: ['dev'],
    });
    const before = await world.state('dev');
    const { release } = request;
    const on = talk(client, release);
    const doomed = await workers.start(release, point);
    const handle = await on.start(request);
    const ended = handle.result();
    ended.catch(() => {});
    const approved = on.approvedAsSoonAsPossible(request);
    // Or this point is not one of this release's.
    expect(await Promise.race([doomed.exited.then(() => 'died'), ended])).toBe('died');
    const next = await workers.start(release);
    await approved;
    const ending = await ended;
    await next.stop();
    expect(ending).toMatchObject({ status });
    // One generation, whichever of the two has asked for it.
    expect(await world.switches(`release:${release}:`)).toEqual([ill.length > 0 ? 'dev rolled-back' : 'dev good']);
    const set = ending.document?.json.environments[0]?.set ?? {};
    if (ill.length > 0) expect((await world.state('dev')).set).toEqual(before.set);
    else await world.expectServed('dev', set);
    expect(await world.wrong()).toEqual([]);
  });
});
