import { untilTemporalAnswers } from '@repo/dev-stack';
import {
  type DoomedWorkers,
  doomedWorkers,
  inThisThread,
  type KillPoint,
  killPoints,
  quietRuntime,
  sample,
  temporalAddress,
  workflowBundle,
} from '@repo/testing';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
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

let world: World;
let client: Client;
let native: NativeConnection;
let workers: DoomedWorkers;

beforeAll(async () => {
  quietRuntime();
  const address = temporalAddress();
  const making = doomedWorkers({
    workflows: new URL('../src/workflows.ts', import.meta.url),
    program: new URL('./kill-matrix-worker.ts', import.meta.url),
    env: () => world.urls,
  });
  [world, workers, native] = await Promise.all([createWorld(), making, NativeConnection.connect({ address })]);
  client = new Client({ connection: await Connection.connect({ address }) });
});
afterAll(() => Promise.all([client.connection.close(), native.close(), world.close(), workers.close()]));

const createNextWorker = (taskQueue: string) =>
  Worker.create({
    connection: native,
    taskQueue,
    workflowBundle: workflowBundle(),
    activities: createActivities(createServices(world.urls)),
    ...inThisThread(),
  });

/** When the traveller cancels: never, in the same breath as the start, or once the trip is booked. */
type Cancel = 'never' | 'at once' | 'when booked';

/** Brings a trip to its end, with a worker that dies at a point and then with one that does not. */
async function survive(request: TripRequest, point: KillPoint, cancel: Cancel) {
  const taskQueue = request.tripId;
  const doomed = await workers.start(taskQueue, point);
  const died = doomed.exited.then(() => 'died');
  const workflowId = tripWorkflowId(request.tripId);
  const options = { workflowId, taskQueue, args: [request] as [TripRequest], workflowTaskTimeout: '1 second' as const };
  const handle = await (cancel === 'at once'
    ? client.workflow.signalWithStart<typeof trip, [CancelRequest]>('trip', {
        ...options,
        signal: cancelSignal,
        signalArgs: [{}],
      })
    : client.workflow.start<typeof trip>('trip', options));
  // While the task that a worker died in counts as failed, Temporal takes no updates: whoever waits asks again.
  let ended = untilTemporalAnswers(() => handle.executeUpdate<TripOutcome, []>('outcome'));
  if (cancel === 'when booked') {
    // If the worker has died while it was booking, the wish arrives while none is there.
    await Promise.race([died, ended]);
    await handle.signal(cancelSignal, {});
    ended = ended.then(() => handle.result());
  }
  // Or this point is not one of this trip's, and nothing has been shown.
  expect(await Promise.race([died, ended])).toBe('died');
  const outcome = await (await createNextWorker(taskQueue)).runUntil(ended);
  await doomed.kill();
  return outcome.status;
}

/** An activity that is refused has no answer to die after. */
const answered = (count: number) => (point: KillPoint) => point.at !== 'after-activity' || point.n <= count;

describe.concurrent.each([
  { ending: 'booked', cancel: 'never', active: services, all: killPoints(4, 3) },
  { ending: 'compensated', cancel: 'never', active: [], all: killPoints(7, 6).filter(answered(5)) },
  { ending: 'cancelled', cancel: 'when booked', active: [], all: killPoints(8, 6) },
  { ending: 'cancelled', cancel: 'at once', active: [], all: killPoints(2, 1) },
] as const)('ALL-14 a trip that ends $ending (cancelled: $cancel)', ({ ending, cancel, active, all }) => {
  const points = process.env.TORTURE === 'all' ? all : sample(all, 1, 4 * seed + all.length);
  it.each(points)(`survives the death of its worker: $at $n (seed ${seed})`, async (point) => {
    const request = aTrip(Date.now(), { to: ending === 'compensated' ? 'ROM' : 'LIS' });
    if (ending === 'compensated') await world.cab.setCapacity('ROM', request.departure, 0);
    expect(await survive(request, point, cancel)).toBe(ending);
    expect(await world.books.activeBookings(request.tripId)).toEqual(active);
    expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
  });
});
