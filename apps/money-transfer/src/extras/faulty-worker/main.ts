import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { connectWorker, readConfig, runProgram, runUntilStopped, taskQueue } from '@repo/worker-kit';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { type Activities, createActivities } from '../../activities.ts';
import { defaultTaskQueue } from '../../contract.ts';
import { createServices, servicesConfig } from '../../services.ts';

/**
 * For scenarios: the app's worker, but for one fault. `--bundle` as there; `--fault` is one of
 *
 * - `held-deposit`: every deposit is on its way until this process is sent a message, as on a slow network
 * - `lost-deposit`: of the first deposit the reply is lost, after COMMIT; the next one waits for a message
 */
await runProgram(async () => {
  const { bundle = '', fault } = parseArgs({
    options: { bundle: { type: 'string' }, fault: { type: 'string' } },
  }).values;
  const services = createServices(readConfig(servicesConfig));
  const activities = createActivities(services);
  const { deposit } = activities;
  const { connection, namespace } = await connectWorker();
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: taskQueue(defaultTaskQueue),
    workflowBundle: { codePath: bundle },
    activities: { ...activities, deposit: fault === 'held-deposit' ? held(deposit) : losingFirstReply(deposit) },
    stickyQueueScheduleToStartTimeout: '1 second',
  });
  await runUntilStopped(worker, connection).finally(() => services.close());
});

function said(deposit: string, type?: string | null): void {
  process.send?.({ deposit, type });
}

function held(deposit: Activities['deposit']): Activities['deposit'] {
  const released = once(process, 'message');
  return async (request) => {
    said('on its way');
    await released;
    try {
      const posting = await deposit(request);
      said('done');
      return posting;
    } catch (error) {
      said('refused', (error as ApplicationFailure).type);
      throw error;
    }
  };
}

function losingFirstReply(deposit: Activities['deposit']): Activities['deposit'] {
  const released = once(process, 'message');
  let isLost = false;
  return async (request) => {
    if (isLost) await released;
    const posting = await deposit(request);
    if (isLost) return posting;
    isLost = true;
    said('reply lost');
    throw ApplicationFailure.create({ type: 'LostReply', message: 'deposited, and the reply is lost' });
  };
}
