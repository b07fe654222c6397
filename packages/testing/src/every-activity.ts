import type { ActivityInterceptorsFactory, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Repetition, type RunEach, runEach } from './run-each.ts';

/** The names of what `createActivities` of an app returns. */
type Name<Activities> = keyof Activities & string;

export interface EveryActivity<Activities> {
  /** Every activity of the app, once; a step forward names the activity that undoes it. */
  activities: { [name in Name<Activities>]: { undoneBy?: Exclude<Name<Activities>, name> } };
  /** A worker with all activities of the app, as in production but for the interceptors. */
  createWorker: (activity: ActivityInterceptorsFactory[]) => Promise<Worker>;
  /**
   * Runs, while the worker does, workflows that together execute every activity, waits for them to end, and throws
   * unless the stores hold what they must. Each call is to be a new one: with new ids.
   */
  run: () => Promise<unknown>;
  /** The same for one workflow whose step `forward` is lost: it must end undone. Needed if a step names `undoneBy`. */
  runUndone?: (forward: Name<Activities>) => Promise<unknown>;
}

/**
 * ALL-1: one test for each way in which Temporal may run an activity more than once, and one for each step whose call
 * arrives after it has been undone. Fails if two answers differ, and if an activity is not listed or did not run.
 */
export function describeEveryActivity<Activities>(app: EveryActivity<Activities>): void {
  describe('ALL-1 every activity', () => {
    let repeated: Repeated | undefined;
    beforeAll(async () => {
      repeated = await runRepeated(app);
    });
    afterAll(() => repeated?.stop());
    it.each([
      ['twice in sequence', 'twice'],
      ['twice at once', 'atOnce'],
      ['late, after a newer attempt', 'late'],
    ] as const)('%s', async (_, repetition) => {
      expect(await repeated?.complaints(repetition)).toEqual([]);
    });
    const undone = stepsForward(app);
    if (undone.length === 0) return;
    it.each(undone)('%s late, after %s', async (late, after) => {
      expect(await repeated?.complaints({ late, after })).toEqual([]);
    });
  });
}

const stepsForward = <Activities>({ activities }: EveryActivity<Activities>): [Name<Activities>, string][] =>
  Object.entries<{ undoneBy?: string }>(activities).flatMap(([name, { undoneBy }]) =>
    undoneBy === undefined ? [] : [[name as Name<Activities>, undoneBy]],
  );

/** What is wrong with an app whose activities run so, in words; whatever its own runs throw is thrown on. */
export async function complaints<Activities>(
  app: EveryActivity<Activities>,
  repetition: Repetition,
): Promise<string[]> {
  const repeated = await runRepeated(app);
  try {
    return await repeated.complaints(repetition);
  } finally {
    await repeated.stop();
  }
}

/** A worker that runs every activity in one way after another: to make a worker takes longer than most runs. */
interface Repeated {
  complaints(repetition: Repetition): Promise<string[]>;
  stop(): Promise<void>;
}

async function runRepeated<Activities>(app: EveryActivity<Activities>): Promise<Repeated> {
  const { activities, run, runUndone } = app;
  let each = runEach('twice');
  const worker = await app.createWorker([(context) => each.interceptor(context)]);
  const running = worker.run();
  const oneRun = (repetition: Repetition): Promise<unknown> => {
    if (typeof repetition === 'string') return run();
    if (runUndone) return runUndone(repetition.late as Name<Activities>);
    throw new Error(`${repetition.late} is undone by ${repetition.after}: runUndone is needed to show it`);
  };
  return {
    async complaints(repetition) {
      each = runEach(repetition);
      // A worker that fails does so at once, and not when the run has waited for long enough.
      await Promise.race([oneRun(repetition), running]);
      await each.idle();
      const expected = typeof repetition === 'string' ? Object.keys(activities) : [repetition.late];
      return [...notListed(worker, activities), ...notRepeated(expected, each), ...each.differences];
    },
    async stop() {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    },
  };
}

const notListed = (worker: Worker, activities: object): string[] =>
  [...worker.options.activities.keys()]
    .filter((name) => !(name in activities))
    .map((name) => `${name} is an activity of this worker and is not listed`);

const notRepeated = (expected: string[], { repeated }: RunEach): string[] =>
  expected.filter((name) => !repeated.has(name)).map((name) => `${name} never ran to an answer more than once`);
