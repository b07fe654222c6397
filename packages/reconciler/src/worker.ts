import { freshWorkflowBundle } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createActivities } from './activities.ts';
import type { Look } from './turn.ts';

/** A worker for the turns of one schedule, which does not run yet. */
export async function createWorker<More extends object>({
  client,
  look,
  ...options
}: {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  client: Client;
  look: Look<More>;
}): Promise<Worker> {
  return Worker.create({
    ...options,
    workflowBundle: { codePath: await freshWorkflowBundle(new URL('./workflows.ts', import.meta.url)) },
    activities: createActivities(client, look),
  });
}
