import { parseArgs } from 'node:util';
import { connectWorker, readConfig, runProgram, runUntilStopped, taskQueue } from '@repo/worker-kit';
import { Worker } from '@temporalio/worker';
import { createActivities } from '../../activities.ts';
import { defaultTaskQueue } from '../../contract.ts';
import { createServices, servicesConfig } from '../../services.ts';

/**
 * For the scenario `bug-fix`: the app's worker, but for a bug in the activity that verifies what an environment serves.
 * `--bundle` as there.
 */
await runProgram(async () => {
  const { bundle = '' } = parseArgs({ options: { bundle: { type: 'string' } } }).values;
  const services = createServices(readConfig(servicesConfig));
  const { connection, namespace } = await connectWorker();
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: taskQueue(defaultTaskQueue),
    workflowBundle: { codePath: bundle },
    activities: {
      ...createActivities(services),
      verify: async () => {
        throw new TypeError("Cannot read properties of undefined (reading 'digest')");
      },
    },
    stickyQueueScheduleToStartTimeout: '1 second',
  });
  await runUntilStopped(worker, connection).finally(() => services.close());
});
