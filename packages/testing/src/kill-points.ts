import { fileURLToPath } from 'node:url';
import type { InjectedSinks, WorkerOptions } from '@temporalio/worker';
import type { ActivationSinks } from './count-activations.ts';
import { inThisThread } from './in-this-thread.ts';

/**
 * Where a worker dies, counted in the worker itself: after its nth activation and before Temporal hears of it, or
 * before or after the nth activity that it runs.
 */
export interface KillPoint {
  at: 'activation' | 'before-activity' | 'after-activity';
  /** From 1. */
  n: number;
}

/** For `bundleWorkflowCode` as `workflowInterceptorModules`: what counts the activations. */
export const countActivations = [fileURLToPath(new URL('./count-activations.ts', import.meta.url))];

/**
 * Kills this process with SIGKILL at a point. For `Worker.create`, over a bundle that has `countActivations` in it; with
 * no point, only counts. With one, workflows run as by `inThisThread`: for a worker that soon dies.
 */
export function dieAt(point: KillPoint | undefined): Pick<WorkerOptions, 'interceptors' | 'sinks' | 'debugMode'> {
  const counts = { activation: 0, 'before-activity': 0, 'after-activity': 0 };
  const pass = (at: KillPoint['at']) => {
    counts[at] += 1;
    if (point?.at === at && point.n === counts[at]) process.kill(process.pid, 'SIGKILL');
  };
  const sinks: InjectedSinks<ActivationSinks> = {
    killPoints: { activated: { fn: () => pass('activation'), callDuringReplay: true } },
  };
  return {
    sinks,
    ...(point && inThisThread()),
    interceptors: {
      activity: [
        () => ({
          inbound: {
            async execute(input, next) {
              pass('before-activity');
              const answer = await next(input);
              pass('after-activity');
              return answer;
            },
          },
        }),
      ],
    },
  };
}

/** Every point up to so many activations and activities, in an order of their own. */
export function killPoints(activations: number, activities: number): KillPoint[] {
  const points = (at: KillPoint['at'], count: number) => Array.from({ length: count }, (_, i) => ({ at, n: i + 1 }));
  return [
    ...points('activation', activations),
    ...points('before-activity', activities),
    ...points('after-activity', activities),
  ];
}

/** Some of `all`, always the same ones for the same seed. */
export function sample<Item>(all: readonly Item[], count: number, seed: number): Item[] {
  const left = [...all];
  let state = seed;
  // A linear congruential generator will do: the point is that it can be repeated.
  const next = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const taken: Item[] = [];
  while (taken.length < count && left.length > 0) taken.push(...left.splice(Math.floor(next() * left.length), 1));
  return taken;
}
