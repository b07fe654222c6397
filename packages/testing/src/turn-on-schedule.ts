import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { spawnChild } from '@repo/dev-stack';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, vi } from 'vitest';
import { temporalAddress } from './environment.ts';

/** How an operator would run an app's reconciler. */
export interface ScheduledReconciler {
  client: TestWorkflowEnvironment['client'];
  /** URL of src/extras/cli.ts. */
  cli: URL;
  taskQueue: string;
  /** Where the app's stores are. */
  env: Record<string, string | undefined>;
  /** Options of the app's own. */
  options?: string[];
}

/**
 * Runs `reconcile --every 1h --serve` as a program of its own, has the schedule make its turn at once, and deletes it with
 * `reconcile --stop`; the program then ends well when it is told to.
 * @returns what the turn says
 */
export async function turnOnSchedule({ client, cli, taskQueue, env, options = [] }: ScheduledReconciler) {
  const file = fileURLToPath(cli);
  const folder = await mkdtemp(join(tmpdir(), 'reconciler-'));
  const here = { ...env, TASK_QUEUE: taskQueue, TEMPORAL_ADDRESS: temporalAddress(), TEMPORAL_NAMESPACE: 'default' };
  const worker = await spawnChild({
    name: `reconciler of ${taskQueue}`,
    file,
    args: ['reconcile', '--every', '1h', '--grace', '0s', '--serve', ...options],
    env: here,
    logFile: join(folder, 'reconciler.log'),
    ready: 'ready',
  });
  try {
    const schedule = client.schedule.getHandle(`${taskQueue}-reconciler`);
    await schedule.trigger();
    const turn = await vi.waitFor(
      async () => {
        const [taken] = (await schedule.describe()).info.recentActions;
        if (!taken) throw new Error('no turn has begun yet');
        return client.workflow.getHandle(taken.action.workflow.workflowId).result() as Promise<unknown>;
      },
      { timeout: 30_000, interval: 50 },
    );
    const stop = ['--import', 'tsx/esm', file, 'reconcile', '--stop', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, stop, { env: { ...process.env, ...here } });
    expect(JSON.parse(stdout)).toEqual({ ended: true });
    await expect(schedule.describe()).rejects.toMatchObject({ name: 'ScheduleNotFoundError' });
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    return turn;
  } finally {
    await worker.kill();
    await rm(folder, { recursive: true, force: true });
  }
}
