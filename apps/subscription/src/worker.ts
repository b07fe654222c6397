import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connectWorker, readConfig, runProgram, runUntilStopped, taskQueue } from '@repo/worker-kit';
import { Worker } from '@temporalio/worker';
import { createActivities } from './activities.ts';
import { defaultTaskQueue } from './contract.ts';
import { createServices, servicesConfig } from './services.ts';

const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));

/** Takes workflow and activity tasks until it is told to stop: `node --import tsx src/worker.ts [--bundle dist/workflows.js]`. */
await runProgram(async () => {
  const { bundle } = parseArgs({ options: { bundle: { type: 'string' } } }).values;
  const services = createServices(readConfig(servicesConfig));
  const { connection, namespace } = await connectWorker('Plan');
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: taskQueue(defaultTaskQueue),
    ...(bundle ? { workflowBundle: { codePath: bundle } } : { workflowsPath }),
    activities: createActivities(services),
    // What a dead worker had cached goes to another one after this time, and not after the default of ten seconds.
    stickyQueueScheduleToStartTimeout: '1 second',
  });
  await runUntilStopped(worker, connection).finally(() => services.close());
});
