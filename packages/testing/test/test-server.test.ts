import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ApplicationFailure, activityInfo } from '@temporalio/activity';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { timeSkippingEnvironment, workflowBundle } from '../src/index.ts';
import type { endsWithAnAnswer, failsInTime } from './fixtures/workflows.ts';

const env = await timeSkippingEnvironment();
const { client, connection, nativeConnection, namespace = 'default' } = env;
const workerOn = (taskQueue: string, options: Pick<WorkerOptions, 'activities' | 'sinks'>) =>
  Worker.create({ connection: nativeConnection, taskQueue, workflowBundle: workflowBundle(), ...options });

// Without Java and Maven there is only the stock one, as the SDK downloads it.
const lib = join(dirname(inject('testServerPath')), 'lib');
const isOurs = existsSync(lib) && readdirSync(lib).some((jar) => jar.startsWith('loopback-test-server'));

describe.skipIf(!isOurs)('The time-skipping server of infra/servers, other than the stock one,', () => {
  it('tries no activity after its time limit, also if that ends on a whole second', async () => {
    const taskQueue = randomUUID();
    const fails = async () => {
      const { attempt } = activityInfo();
      throw ApplicationFailure.create({ message: `attempt ${attempt}`, nonRetryable: attempt > 1 });
    };
    const worker = await workerOn(taskQueue, { activities: { fails } });
    const options = { workflowId: taskQueue, taskQueue, args: [1_500] as [number] };
    expect(await worker.runUntil(client.workflow.execute<typeof failsInTime>('failsInTime', options))).toEqual([]);
  });

  it('tells a worker that its workflow could not end, for a signal has arrived meanwhile', async () => {
    const taskQueue = randomUUID();
    const handle = await client.workflow.start('endsWithAnAnswer', { workflowId: taskQueue, taskQueue });
    const { workflowService } = connection;
    const { taskToken } = await workflowService.pollWorkflowTaskQueue({ namespace, taskQueue: { name: taskQueue } });
    await handle.signal('late');
    const completeWorkflowExecution = 4;
    const commands = [
      { commandType: completeWorkflowExecution, completeWorkflowExecutionCommandAttributes: { result: {} } },
    ];
    await expect(
      workflowService.respondWorkflowTaskCompleted({ namespace, taskToken, commands }),
    ).rejects.toMatchObject({
      details: 'UnhandledCommand',
    });
    await handle.terminate();
  });

  it('has an update answered by a workflow that ends, also if a signal arrives meanwhile', async () => {
    const taskQueue = randomUUID();
    let isLate = false;
    const sendsASignal = async () => {
      if (isLate) return;
      isLate = true;
      await handle.signal('late');
    };
    const worker = await workerOn(taskQueue, { sinks: { test: { ends: { fn: sendsASignal } } } });
    const handle = await client.workflow.start<typeof endsWithAnAnswer>('endsWithAnAnswer', {
      workflowId: taskQueue,
      taskQueue,
    });
    await worker.runUntil(async () => {
      const asked = await handle.startUpdate<string, []>('ask', { waitForStage: 'ACCEPTED' });
      await handle.signal('end');
      expect(await asked.result()).toBe('answered');
      expect(await handle.result()).toBe('over');
    });
    const { events } = await handle.fetchHistory();
    expect(events?.filter((event) => event.workflowTaskFailedEventAttributes)).toHaveLength(1);
  });
});
