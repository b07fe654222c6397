import { dieAt, type KillPoint } from '@repo/testing/kill-points';
import { connectWorker, readConfig, runProgram, runUntilStopped } from '@repo/worker-kit';
import { Worker } from '@temporalio/worker';
import { createActivities } from '../src/activities.ts';
import { createServices, servicesConfig } from '../src/services.ts';

/** The app's worker, that dies at a point: `kill-matrix-worker.ts <task queue> <bundle> [<kill point as JSON>]`. */
await runProgram(async () => {
  const [taskQueue = '', codePath = '', point] = process.argv.slice(2);
  const services = createServices(readConfig(servicesConfig));
  const { connection, namespace } = await connectWorker();
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: { codePath },
    activities: createActivities(services),
    stickyQueueScheduleToStartTimeout: '1 second',
    ...dieAt(point === undefined ? undefined : (JSON.parse(point) as KillPoint)),
  });
  await runUntilStopped(worker, connection).finally(() => services.close());
});
