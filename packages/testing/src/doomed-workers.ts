import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundledProgram, type Child, spawnChild } from '@repo/dev-stack';
import { freshWorkflowBundle } from '@repo/worker-kit';
import { temporalAddress } from './environment.ts';
import { countActivations, type KillPoint } from './kill-points.ts';

/** Workers of an app in processes of their own, which can die without a word. */
export interface DoomedWorkers {
  /** Resolves when it is polling. It dies at the point, or lives if there is none. */
  start(taskQueue: string, point?: KillPoint): Promise<Child>;
  close(): Promise<void>;
}

/**
 * @param options.workflows URL of `src/workflows.ts`; bundled with what counts its activations
 * @param options.program URL of the worker: `<program> <task queue> <bundle> [<kill point as JSON>]`; see `dieAt`
 * @param options.env what the app's services need, asked for at each start
 */
export async function doomedWorkers(options: {
  workflows: URL;
  program: URL;
  env: () => Record<string, string | undefined>;
}): Promise<DoomedWorkers> {
  const [program, bundle] = await Promise.all([
    bundledProgram(fileURLToPath(options.program)),
    freshWorkflowBundle(options.workflows, { interceptorModules: countActivations }),
  ]);
  const folder = await mkdtemp(join(tmpdir(), 'kill-matrix-'));
  return {
    start: (taskQueue, point) =>
      spawnChild({
        name: `worker of ${taskQueue}`,
        file: program,
        args: [taskQueue, bundle, ...(point ? [JSON.stringify(point)] : [])],
        env: { ...options.env(), TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: 'default' },
        logFile: join(folder, `${taskQueue}.log`),
        ready: 'ready',
      }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
