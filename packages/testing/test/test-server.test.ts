import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ApplicationFailure, activityInfo } from '@temporalio/activity';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { describe, expect, inject, it } from 'vitest';
import { timeSkippingEnvironment, workflowBundle } from '../src/index.ts';
import type { endsWithAnAnswer, failsOnAWholeSecond } from './fixtures/workflows.ts';

const env = await timeSkippingEnvironment();
const taskQueue = 'test-server';
const workerWith = (options: Pick<WorkerOptions, 'activities' | 'sinks'>) =>
  Worker.create({ connection: env.nativeConnection, taskQueue, workflowBundle: workflowBundle(), ...options });

// Without Java and Maven there is only the stock one, as the SDK downloads it.
const isOurs = existsSync(join(dirname(inject('testServerPath')), 'lib'));

describe.skipIf(!isOurs)('The time-skipping server of infra/servers has not these faults of the stock one:', () => {
  it('an activity with a time limit is not tried after it, also if it was scheduled on a whole second', async () => {
    const fails = async () => {
      const { attempt, scheduledTimestampMs } = activityInfo();
      throw ApplicationFailure.create({
        message: `at ${scheduledTimestampMs % 1000} ms, attempt ${attempt}`,
        nonRetryable: attempt > 1,
      });
    };
    const worker = await workerWith({ activities: { fails } });
    const tries = await worker.runUntil(
      env.client.workflow.execute<typeof failsOnAWholeSecond>('failsOnAWholeSecond', {
        workflowId: 'limits',
        taskQueue,
      }),
    );
    expect(tries.filter((one) => !one.endsWith('attempt 1'))).toEqual([]);
  });

  it('an update is answered by a workflow that ends, also if a signal arrives meanwhile', async () => {
    let isLate = false;
    const sendsASignal = async () => {
      if (isLate) return;
      isLate = true;
      await handle.signal('late');
    };
    const worker = await workerWith({ sinks: { test: { ends: { fn: sendsASignal } } } });
    const handle = await env.client.workflow.start<typeof endsWithAnAnswer>('endsWithAnAnswer', {
      workflowId: 'ends',
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
