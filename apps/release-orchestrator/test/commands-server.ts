import { Faults, faultsAroundActivities, realEnvironment, temporalAddress, testWorker } from '@repo/testing';
import { printError } from '@repo/worker-kit';
import { afterAll, vi } from 'vitest';
import { createActivities } from '../src/activities.ts';
import type { Environment, ReleaseEnding, ReleaseInput } from '../src/contract.ts';
import { approve, createOrFind, endOf } from '../src/extras/releases.ts';
import { World } from './world.ts';

/**
 * The Temporal dev server that all files share, with environments, records and a worker of the file's own, all of which the
 * commands find. To be called where the file itself runs.
 * @param hosts as in `World.create`
 */
export async function commandsServer(taskQueue: string, hosts?: readonly Environment[]) {
  const [env, world] = await Promise.all([realEnvironment(), World.create({ hosts })]);
  Object.assign(process.env, world.env, { TASK_QUEUE: taskQueue, TEMPORAL_ADDRESS: temporalAddress() });
  const { client } = env;
  /** Around every activity, by its name. */
  const faults = new Faults();
  const worker = testWorker(env, taskQueue, () => ({
    activities: createActivities(world.services),
    stickyQueueScheduleToStartTimeout: '1 second',
    interceptors: { activity: [faultsAroundActivities((point, activity) => faults.reach(point, activity))] },
  }));
  await worker.start();
  afterAll(async () => {
    faults.off();
    await worker.stop();
    await world.end();
  });
  return {
    world,
    client,
    faults,
    startWorker: worker.start,
    stopWorker: worker.stop,
    /** From the start to the end, with an approval. */
    async released(request: ReleaseInput): Promise<ReleaseEnding> {
      await createOrFind(client, request, 'tests');
      await approve(client, request.release, { by: 'Bob' });
      return endOf(client, request.release);
    },
  };
}

/** What a command prints, and the exit code that its program would have. */
export async function saying(command: () => Promise<void>) {
  const [log, error] = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')];
  for (const one of [log, error]) one.mockImplementation(() => {});
  try {
    const failed = await (async () => command())().then(
      () => undefined,
      (reason: unknown) => printError(reason),
    );
    const lines = (one: typeof log) => one.mock.calls.map(([line]) => String(line)).join('\n');
    return { code: failed ?? process.exitCode ?? 0, out: lines(log), err: lines(error) };
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
}
