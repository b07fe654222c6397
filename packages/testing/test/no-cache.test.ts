import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { inThisThread, timeSkippingEnvironment, workflowBundle } from '../src/index.ts';
import { quietRuntime } from '../src/quiet-runtime.ts';

let env: TestWorkflowEnvironment;
const taskQueue = 'no-cache';

beforeAll(async () => {
  quietRuntime({ silent: true });
  env = await timeSkippingEnvironment();
});

describe('a workflow that goes well only from memory', () => {
  /** How its first task after the start ends. */
  const secondTask = async (maxCachedWorkflows: number) => {
    const { nativeConnection: connection, client } = env;
    const activities = { note: async () => {} };
    const options = { connection, taskQueue, workflowBundle: workflowBundle(), activities, maxCachedWorkflows };
    const worker = await Worker.create(options);
    return worker.runUntil(async () => {
      const handle = await client.workflow.start('onlyFromMemory', {
        workflowId: `cache ${maxCachedWorkflows}`,
        taskQueue,
      });
      const ends = async () => {
        const { events } = await handle.fetchHistory();
        return events
          ?.map(
            ({ workflowTaskFailedEventAttributes: failed, workflowExecutionCompletedEventAttributes: completed }) =>
              failed ? failed.failure?.message : completed ? 'completed' : '',
          )
          .find((text) => text);
      };
      await expect.poll(ends, { timeout: 10_000 }).toBeDefined();
      return ends();
    });
  };

  it('is not found out as long as it is cached', async () => {
    expect(await secondTask(10)).toBe('completed');
  });

  it('is found out by a worker that caches nothing', async () => {
    expect(await secondTask(0)).toContain('Nondeterminism error');
  });
});

it('a worker in the thread of the test gives an activation as long as any other', async () => {
  const options = { connection: env.nativeConnection, taskQueue, workflowBundle: workflowBundle() };
  const limitOf = async (more: object) => {
    const worker = await Worker.create({ ...options, ...more });
    return worker.runUntil(async () => worker.options.isolateExecutionTimeoutMs);
  };
  expect(await limitOf(inThisThread())).toBe(await limitOf({}));
});
