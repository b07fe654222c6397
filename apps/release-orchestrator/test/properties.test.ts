import { setInterval } from 'node:timers/promises';
import { type DoomedWorkers, doomedWorkers, sample, temporalAddress } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Environment, environments, type ReleaseEnding, type ReleaseInput } from '../src/contract.ts';
import { talk } from './talk.ts';
import { World } from './world.ts';

/**
 * Many releases of the same deployables to the same environments at once, while workers die: at every moment each environment
 * has one release, whole, and in the end the newest. `pnpm torture` has 50 releases; SEED takes other moments to die.
 */
const seed = Number(process.env.SEED ?? 1);
const whole = process.env.TORTURE === 'all';
const releases = whole ? 50 : 4;
const into: Environment[] = whole ? [...environments] : ['dev', 'test'];
const deaths = whole ? 8 : 1;

let world: World;
let client: Client;
let workers: DoomedWorkers;

beforeAll(async () => {
  const making = doomedWorkers({
    workflows: new URL('../src/workflows.ts', import.meta.url),
    program: new URL('./kill-matrix-worker.ts', import.meta.url),
    env: () => world.env,
  });
  [world, workers] = await Promise.all([World.create({ hosts: into }), making]);
  client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
});
afterAll(() => Promise.all([client.connection.close(), world.end(), workers.close()]));

const sampleEvery = 40; // milliseconds
const numbers = (upTo: number) => Array.from({ length: upTo }, (_, n) => n + 1);
const aWhile = 8 * 60_000; // milliseconds

it(`REL-9 ${releases} releases at once, ${deaths} workers die (seed ${seed})`, { timeout: 2 * aWhile }, async () => {
  const taskQueue = world.fresh('at-once');
  const on = talk(client, taskQueue);
  const names = [world.fresh('web'), world.fresh('web')];
  /** Of each artifact, the release that brought it. */
  const owners = new Map<string, string>();
  const requests: ReleaseInput[] = [];
  for (let n = 0; n < releases; n++) {
    const deployables = await Promise.all(names.map((name) => world.deployable(name)));
    requests.push(await world.aRelease({ deployables, environments: into }));
  }

  let isOver = false;
  const seen: string[] = [];
  const look = async (environment: Environment) => {
    const newest = { generation: 0 };
    let looks = 0;
    // Now and then: to look without a pause would take the time that the releases need.
    for await (const _ of setInterval(sampleEvery)) {
      if (isOver) return;
      looks += 1;
      const { set, generation } = await world.state(environment);
      const from = names.map((name) => owners.get(set[name]?.artifact ?? ''));
      if (Object.keys(set).length > 0 && (from[0] === undefined || from[0] !== from[1]))
        seen.push(`${environment}: ${from}`);
      if (generation < newest.generation) seen.push(`${environment} went back to generation ${generation}`);
      newest.generation = generation;
      // What is really served, one answer for each page: every byte as in some release, and well.
      const page = await world.services.environments
        .of(environment)
        .served(names[looks % 2] ?? '', AbortSignal.timeout(10_000));
      if (page && (!owners.has(page.artifact) || !page.isHealthy))
        seen.push(`${environment} serves ${page.reason ?? page.artifact}`);
    }
  };

  let worker = await workers.start(taskQueue);
  let ended = 0;
  const progress = async () => (await world.records.deployments({ limit: 1_000 })).length + ended;
  const reaches = (least: number) =>
    vi.waitFor(async () => expect(await progress()).toBeGreaterThanOrEqual(least), { timeout: aWhile, interval: 50 });
  const ends = requests.map(async (request) => {
    await on.start(request);
    const { json } = await on.documented(request, aWhile);
    for (const { artifact } of json.deployables) owners.set(artifact, request.release);
  });
  const looking = Promise.all(into.map(look));
  // One after the other, as soon as the one before has got somewhere: they overtake one another, and few are late at once.
  const all = Promise.all(ends).then(async () => {
    const endings: Promise<ReleaseEnding>[] = [];
    for (const request of requests) {
      await on.approvedAsSoonAsPossible(request, aWhile);
      endings.push(
        on.endOf(request).finally(() => {
          ended += 1;
        }),
      );
      await reaches(endings.length);
    }
    return Promise.all(endings);
  });
  all.catch(() => {});
  const moments = sample(numbers(releases), deaths, seed).toSorted((one, other) => one - other);
  for (const moment of moments) {
    await reaches(moment);
    await worker.kill();
    worker = await workers.start(taskQueue);
  }
  const endings = await all.finally(() => {
    isOver = true;
  });
  await looking;
  await worker.stop();

  expect(seen).toEqual([]);
  expect(endings.filter(({ status }) => status !== 'released' && status !== 'superseded')).toEqual([]);
  // Nothing was lost: whichever began last is there, everywhere.
  expect(endings.some(({ status }) => status === 'released')).toBe(true);
  for (const environment of into) {
    const [newest] = await world.records.deployments({ environment });
    expect(newest).toMatchObject({ status: 'good', release: expect.any(String) });
    await world.expectServed(environment, newest?.set ?? {});
  }
  expect(await world.wrong()).toEqual([]);
});
