import { fileURLToPath } from 'node:url';
import { connectClient, connectWorker, readConfig, runProgram, runUntilStopped } from '@repo/worker-kit';
import { Worker } from '@temporalio/worker';
import { servicesConfig } from '../../services.ts';
import { createActivities } from './activities.ts';
import { reconcilerQueue } from './schedule.ts';

/** Serves the schedule `trip-reconciler` until it is told to stop. */
await runProgram(async () => {
  const urls = readConfig(servicesConfig);
  const { connection, namespace } = await connectWorker();
  const client = await connectClient();
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: reconcilerQueue(),
    workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
    activities: createActivities(client, urls),
  });
  await runUntilStopped(worker, connection).finally(() => client.connection.close());
});
