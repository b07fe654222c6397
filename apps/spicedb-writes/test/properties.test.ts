import { AsyncLocalStorage } from 'node:async_hooks';
import { Faults, faultsAroundActivities, temporalAddress, workflowBundle } from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { type ActivityInterceptorsFactory, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { changesBy } from './changes.ts';
import { createWorld, type World } from './world.ts';

// On a real server: many changes at once, and some of them terminated in the middle of a step.
let world: World;
let client: Client;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;
let faults = new Faults();
const seed = Number(process.env.SEED ?? 1);
const taskQueue = 'spicedb-writes-properties';

/** After every second activity of a post an older one has its effect once more: an attempt that everybody took for dead. */
function zombies(): ActivityInterceptorsFactory {
  const ofPost = new Map<string, (() => Promise<unknown>)[]>();
  let count = 0;
  return ({ info: { activityType } }) => ({
    inbound: {
      execute: async (input, next) => {
        const { post = '' } = (input.args as [{ post?: string }])[0];
        const earlier = ofPost.get(post) ?? [];
        ofPost.set(post, earlier);
        const answer = await next({ ...input, args: structuredClone(input.args) });
        count += 1;
        if (count % 2 === 0) await earlier[(count * 7) % earlier.length]?.().catch(() => {});
        if (['begin', 'apply', 'settle'].includes(activityType)) {
          earlier.push(AsyncLocalStorage.bind(() => next({ ...input, args: structuredClone(input.args) })));
        }
        return answer;
      },
    },
  });
}

async function startWorker() {
  worker = await Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(world.services),
    interceptors: { activity: [faultsAroundActivities((point, activity) => faults.reach(point, activity)), zombies()] },
  });
  running = worker.run();
}
async function stopWorker() {
  worker.shutdown();
  await running;
}

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  world = await createWorld();
  client = new Client({ connection: await Connection.connect({ address: temporalAddress() }) });
  native = await NativeConnection.connect({ address: temporalAddress() });
  await startWorker();
});
afterAll(async () => {
  await stopWorker();
  await Promise.all([native.close(), client.connection.close()]);
  await world.close();
});

const author = fc.constantFrom('ada', 'bob', 'carol');
const command = fc.record({
  change: fc.oneof(
    { weight: 2, arbitrary: fc.record({ type: fc.constant('writePost' as const), author }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('transferPost' as const), to: author }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('deletePost' as const) }) },
  ),
  /** Terminated when it has been looked at so many times. */
  terminateAfter: fc.option(fc.nat({ max: 25 }), { nil: undefined, freq: 3 }),
  /** The store that is down when the change is started, until the change has run into it. */
  cut: fc.constantFrom(...([undefined, undefined, undefined, 'postgres', 'spicedb'] as const)),
});
type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;

/** Whose the post may be: several are possible after a change that was terminated. `undefined` is nobody. */
type Owners = (string | undefined)[];

/** Makes one change, and says whose the post may be then. Fails if the outcome does not follow from whose it was. */
async function make(post: string, { change, terminateAfter, cut }: Command, before: Owners): Promise<Owners> {
  const { type, ...request } = change;
  if (cut) await world[cut].down();
  const handle = await changesBy(client, taskQueue).start(type, { post, ...request } as never);
  const ended = handle.result().then(
    (outcome) => ({ outcome }),
    () => ({ outcome: undefined }),
  );
  let open = true;
  void ended.then(() => {
    open = false;
  });
  if (cut) {
    await vi.waitFor(async () => {
      const pending = open ? (await handle.describe()).raw.pendingActivities : [];
      if (open && !pending?.some(({ lastFailure }) => lastFailure)) throw new Error('it has not failed yet');
    }, 20_000);
    await world[cut].up();
  }
  if (terminateAfter !== undefined) {
    for (let looks = 0; looks < terminateAfter; looks++) await handle.describe();
    await handle.terminate('by the test').catch(() => {});
  }
  const { outcome } = await ended;
  const wanted = 'author' in change ? change.author : 'to' in change ? change.to : undefined;
  const isRefused = (owner: string | undefined) =>
    type === 'writePost' ? owner !== undefined && owner !== wanted : owner === undefined;
  const after = (owner: string | undefined) => (isRefused(owner) ? owner : wanted);
  if (!outcome) return [...new Set([...before, ...before.map(after)])];
  const refused = outcome.status === 'refused' || outcome.status === 'not-found';
  const explained = before.filter((owner) => isRefused(owner) === refused);
  expect([outcome.status, explained.length > 0]).toEqual([outcome.status, true]);
  if (outcome.status === 'refused') return [outcome.reason.owner];
  return refused ? [undefined] : [wanted];
}

it('after any changes, faults, late attempts, outages, terminations and a restart, the stores agree about whose each post is', async () => {
  const lives = fc.array(fc.array(command, { minLength: 1, maxLength: 6 }), { minLength: 6, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(lives, fc.nat(), async (lives, luck) => {
      faults = new Faults(luck);
      faults.on({ point: 'before-transaction', chance: 0.1 }, { point: 'before-return', chance: 0.2 });
      let restarts = 0;
      const ends = await Promise.all(
        lives.map(async (commands, index) => {
          const post = world.aPost();
          let owners: Owners = [undefined];
          for (const each of commands) {
            owners = await make(post, each, owners);
            if (index === 0 && restarts++ === 1) {
              await stopWorker();
              await startWorker();
            }
          }
          return { post, owners, commands };
        }),
      );
      faults.off();
      await world.mend();
      for (const { post, owners, commands } of ends) {
        await changesBy(client, taskQueue).outcomeOf('mendPost', { post });
        const both = await world.stores.both(post);
        expect(owners, JSON.stringify(commands)).toContain(both?.row?.author);
      }
      expect(await world.disagreements()).toEqual([]);
    }),
    { numRuns: process.env.TORTURE === 'all' ? 20 : 1, seed, endOnFailure: true },
  );
}, 600_000);
