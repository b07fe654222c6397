import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inThisThread, replayAll, timeSkippingEnvironment, workflowBundle } from '@repo/testing';
import { freshWorkflowBundle } from '@repo/worker-kit';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createActivities } from '../src/activities.ts';
import { cancelSignal, services, type TripRequest, tripWorkflowId } from '../src/contract.ts';
import { createServices } from '../src/services.ts';
import { bookTrip } from '../src/starter.ts';
import type { trip } from '../src/workflows.ts';
import { aTrip, createWorld, type World } from './world.ts';

// Workers that remember nothing, are away, or are of a newer version. No trip is left open by any test: the clock stands
// still while a workflow task waits for a worker.

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const version1 = pathOf('../src/workflows.ts');
const version2 = pathOf('../src/extras/upgrade-worker/workflows.ts');
const taskQueue = 'workers';

let env: TestWorkflowEnvironment;
let world: World;
let bundleOfVersion2: string;

beforeAll(async () => {
  const bundling = freshWorkflowBundle(pathToFileURL(version2));
  [env, world, bundleOfVersion2] = await Promise.all([timeSkippingEnvironment(), createWorld(), bundling]);
  process.env.TASK_QUEUE = taskQueue;
});
afterEach(async () => {
  expect(await world.books.stockThatDoesNotAddUp()).toEqual([]);
});
afterAll(() => world.close());

const startWorker = (bundle = workflowBundle()) =>
  Worker.create({
    connection: env.nativeConnection,
    taskQueue,
    workflowBundle: bundle,
    activities: createActivities(createServices(world.urls)),
    // Nothing is kept in memory: each step begins with a replay of all that went before. And the test server would for
    // ever keep a task for the cache of a worker that is gone.
    maxCachedWorkflows: 0,
    ...inThisThread(),
  });

const handleOf = ({ tripId }: TripRequest) => env.client.workflow.getHandle<typeof trip>(tripWorkflowId(tripId));
const bookings = ({ tripId }: TripRequest) => world.books.activeBookings(tripId);
const book = (request: TripRequest) => bookTrip(env.client, request, 'ada');

async function stepsOf(request: TripRequest) {
  const { events } = await handleOf(request).fetchHistory();
  return events?.flatMap((one) => one.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
}

describe('ALL-2 with a replay at each step, a trip', () => {
  let worker: Worker;
  let running: Promise<void>;
  beforeAll(async () => {
    worker = await startWorker();
    running = worker.run();
  });
  afterAll(() => {
    worker.shutdown();
    return running;
  });

  it('is booked', async () => {
    const request = aTrip(await env.currentTimeMs());
    const outcome = await book(request);
    expect(outcome).toMatchObject({ status: 'booked' });
    expect(await handleOf(request).result()).toEqual(outcome);
    expect(await bookings(request)).toEqual(services);
  });

  it('is undone', async () => {
    const request = aTrip(await env.currentTimeMs(), { to: 'VIE' });
    await world.cab.setCapacity('VIE', request.departure, 0);
    const outcome = await book(request);
    expect(outcome).toMatchObject({ status: 'compensated', undone: ['hotel', 'flight'] });
    expect(await handleOf(request).result()).toEqual(outcome);
    expect(await bookings(request)).toEqual([]);
  });
});

describe('ALL-4 a version 2 that takes the cab before the hotel', () => {
  it('goes on with a trip that is under way in the old order, and takes a new one the new way', async () => {
    const [underWay, next] = [aTrip(await env.currentTimeMs()), aTrip(await env.currentTimeMs())];
    await world.hotel.stop();
    const hotelIsAsked = async () => (await stepsOf(underWay))?.includes('reserveHotel');
    const booking = book(underWay);
    await (await startWorker()).runUntil(() => expect.poll(hotelIsAsked, { timeout: 10_000 }).toBe(true));
    await world.hotel.start();

    await (await startWorker({ codePath: bundleOfVersion2 })).runUntil(async () => {
      expect(await booking).toMatchObject({ status: 'booked' });
      expect(await book(next)).toMatchObject({ status: 'booked' });
      expect(await bookings(underWay)).toEqual(services);
      expect(await bookings(next)).toEqual(services);
      await handleOf(next).cancel();
      expect(await handleOf(next).result()).toMatchObject({ undone: ['hotel', 'cab', 'flight'] });
      expect(await handleOf(underWay).result()).toMatchObject({ status: 'booked' });
    });
    expect(await stepsOf(underWay)).toEqual(['bookFlight', 'reserveHotel', 'scheduleCab']);
    expect((await stepsOf(next))?.slice(0, 3)).toEqual(['bookFlight', 'scheduleCab', 'reserveHotel']);
    expect(await bookings(underWay)).toEqual(services);
    expect(await bookings(next)).toEqual([]);
  });

  it('replays every history of version 1, and without `patched` it would not', async () => {
    const folder = pathOf('./histories');
    const code = await readFile(bundleOfVersion2, 'utf8');
    const hasty = code.replace(/\(0, ?[\w$]+\.patched\)\((["'])cab-before-hotel\1\)/, 'true');
    expect(hasty).not.toBe(code);
    const files = (await readdir(folder)).map((file) => `${folder}/${file}`);
    const parted = [...(await replayAll({ codePath: bundleOfVersion2 }, files)).values()];
    expect(parted).toEqual(files.map(() => undefined));
    const booked = `${folder}/booked.json`;
    expect((await replayAll({ code: hasty }, [booked])).get(booked)?.message).toMatch(/Nondeterminism/);
  });

  it('is version 1 but for the order: what changes there has to change here', async () => {
    const linesOf = async (file: string) =>
      (await readFile(file, 'utf8'))
        .replace(/^import .*$/gm, '')
        .split('\n')
        .map((line) => line.trim());
    const [old, changed] = [await linesOf(version1), await linesOf(version2)];
    expect(old.filter((line) => !changed.includes(line))).toEqual([
      'const flight = await bookFlight.executeWithOptions(',
      'state.bookings.flight = flight;',
      'const hotel = await reserveHotel.executeWithOptions(',
      'state.bookings.hotel = hotel;',
      expect.stringMatching(/^const cab = await scheduleCab\.executeWithOptions\(/),
      'state.bookings.cab = cab;',
      'return { flight, hotel, cab };',
    ]);
  });
});

it('TRIP-8 a cancellation counts by when it was asked for, if no worker was up over the departure', async () => {
  const [inTime, late] = [aTrip(await env.currentTimeMs()), aTrip(await env.currentTimeMs())];
  await (await startWorker()).runUntil(() => Promise.all([book(inTime), book(late)]));
  const departure = Date.parse(inTime.departure);
  const cancel = (request: TripRequest, afterDeparture: number) =>
    handleOf(request).signal(cancelSignal, { requestedAt: new Date(departure + afterDeparture).toISOString() });
  await env.sleep(departure - (await env.currentTimeMs()));
  await cancel(inTime, -1000);
  await cancel(late, 1000);
  // The test server loses the answer of a worker that cancels a timer while it fires.
  const overDeparture = async (request: TripRequest) =>
    (await handleOf(request).fetchHistory()).events?.some((one) => one.timerFiredEventAttributes);
  const both = () => Promise.all([overDeparture(inTime), overDeparture(late)]);
  await expect.poll(both, { timeout: 10_000 }).toEqual([true, true]);
  await (await startWorker()).runUntil(async () => {
    expect(await handleOf(inTime).result()).toMatchObject({ status: 'cancelled' });
    expect(await handleOf(late).result()).toMatchObject({ status: 'booked' });
  });
  expect(await bookings(inTime)).toEqual([]);
  expect(await bookings(late)).toEqual(services);
});
