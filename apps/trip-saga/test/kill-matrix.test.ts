import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnChild } from '@repo/dev-stack';
import {
  countActivations,
  type KillPoint,
  killPoints,
  quietRuntime,
  sample,
  temporalAddress,
  workflowBundle,
} from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import {
  type CancelRequest,
  cancelSignal,
  services,
  type TripOutcome,
  type TripRequest,
  tripWorkflowId,
} from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import type { trip } from '../src/workflows.ts';
import { aTrip, createWorld, type World } from './world.ts';

/**
 * The worker dies at each point of a trip, and another one goes on: `pnpm torture`. In `pnpm test`, a slice of it; SEED
 * takes another one.
 */
const seed = Number(process.env.SEED ?? 1);
const all = killPoints(8, 6);

let world: World;
let client: Client;
let native: NativeConnection;
let folder: string;
const program = fileURLToPath(new URL('./kill-matrix-worker.ts', import.meta.url));

beforeAll(async () => {
  quietRuntime();
  folder = await mkdtemp(join(tmpdir(), 'kill-matrix-'));
  const workflowsPath = fileURLToPath(new URL('../src/workflows.ts', import.meta.url));
  const bundling = bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: countActivations,
    logger: new DefaultLogger('WARN'),
  });
  const address = temporalAddress();
  [world, native] = await Promise.all([createWorld(), NativeConnection.connect({ address })]);
  client = new Client({ connection: await Connection.connect({ address }) });
  await writeFile(join(folder, 'workflows.js'), (await bundling).code);
});

afterAll(async () => {
  await Promise.all([client.connection.close(), native.close(), world.close()]);
  await rm(folder, { recursive: true, force: true });
});

/** A process, for it dies without a word. */
const startDoomedWorker = (taskQueue: string, point: KillPoint) =>
  spawnChild({
    name: `worker of ${taskQueue}`,
    file: program,
    args: [taskQueue, join(folder, 'workflows.js'), JSON.stringify(point)],
    env: { ...world.urls, TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: 'default' },
    logFile: join(folder, `${taskQueue}.log`),
    ready: 'ready',
  });

const createNextWorker = (taskQueue: string) =>
  Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(createServices(world.urls)),
  });

/** Brings a trip to its end, with a worker that dies at a point and then with one that does not. */
async function survive(request: TripRequest, point: KillPoint, cancel: boolean) {
  const taskQueue = request.tripId;
  const doomed = await startDoomedWorker(taskQueue, point);
  const workflowId = tripWorkflowId(request.tripId);
  // A cancellation in the same breath as the start: it is read in the middle of the first step.
  const options = { workflowId, taskQueue, args: [request] as [TripRequest], workflowTaskTimeout: '1 second' as const };
  const handle = await (cancel
    ? client.workflow.signalWithStart<typeof trip, [CancelRequest]>('trip', {
        ...options,
        signal: cancelSignal,
        signalArgs: [{}],
      })
    : client.workflow.start<typeof trip>('trip', options));
  const known = handle.executeUpdate<TripOutcome, []>('outcome');
  await Promise.race([doomed.exited, known]);
  const outcome = await (await createNextWorker(taskQueue)).runUntil(known);
  await doomed.kill();
  return outcome.status;
}

describe.concurrent.each([
  ['booked', 0, services],
  ['compensated', 1, []],
  ['cancelled', 2, []],
] as const)('ALL-14 a trip that ends %s', (ending, which, active) => {
  const points = process.env.TORTURE === 'all' ? all : sample(all, 1, 3 * seed + which);
  it.each(points)(`survives the death of its worker: $at $n (seed ${seed})`, async (point) => {
    const request = aTrip(Date.now(), { to: ending === 'compensated' ? 'ROM' : 'LIS' });
    if (ending === 'compensated') await world.cab.setCapacity('ROM', request.departure, 0);
    expect(await survive(request, point, ending === 'cancelled')).toBe(ending);
    expect(await world.books.activeBookings(request.tripId)).toEqual(active);
    expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
  });
});
