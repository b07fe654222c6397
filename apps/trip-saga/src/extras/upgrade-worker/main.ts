import { fileURLToPath } from 'node:url';
import { connectWorker, readConfig, runProgram, runUntilStopped, taskQueue } from '@repo/worker-kit';
import { Worker } from '@temporalio/worker';
import { createActivities } from '../../activities.ts';
import { defaultTaskQueue } from '../../contract.ts';
import { createServices, servicesConfig } from '../../services.ts';

/** For the scenario `upgrade`: the app's worker, but with version 2 of the workflow, whatever `--bundle` says. */
await runProgram(async () => {
  const services = createServices(readConfig(servicesConfig));
  const { connection, namespace } = await connectWorker();
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: taskQueue(defaultTaskQueue),
    workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
    activities: createActivities(services),
    stickyQueueScheduleToStartTimeout: '1 second',
  });
  await runUntilStopped(worker, connection);
});
