import { parseArgs } from 'node:util';
import { connectWorker, readConfig, runProgram, runUntilStopped, taskQueue } from '@repo/worker-kit';
import { Worker } from '@temporalio/worker';
import { type Activities, createActivities } from '../../activities.ts';
import { defaultTaskQueue } from '../../contract.ts';
import { createServices, servicesConfig } from '../../services.ts';

/**
 * For scenarios: the app's worker, but the answer to every charge stays with it, after COMMIT: what it has done, Temporal does
 * not get to know. `--bundle` as there.
 */
await runProgram(async () => {
  const { bundle = '' } = parseArgs({ options: { bundle: { type: 'string' } } }).values;
  const services = createServices(readConfig(servicesConfig));
  const activities = createActivities(services);
  const charge: Activities['charge'] = async (request) => {
    await activities.charge(request);
    process.send?.({ charged: request.key });
    return new Promise(() => {});
  };
  const { connection, namespace } = await connectWorker();
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: taskQueue(defaultTaskQueue),
    workflowBundle: { codePath: bundle },
    activities: { ...activities, charge },
    stickyQueueScheduleToStartTimeout: '1 second',
  });
  await runUntilStopped(worker, connection).finally(() => services.close());
});
