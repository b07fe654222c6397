import { fileURLToPath } from 'node:url';
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
  return Worker.create({ ...options, ...(await workflowCode()), activities: createActivities(client, look) });
}

/** The bundle is kept for the next time. Where nothing can be written, the worker bundles for itself. */
async function workflowCode(): Promise<{ workflowBundle: { codePath: string } } | { workflowsPath: string }> {
  const workflows = new URL('./workflows.ts', import.meta.url);
  try {
    return { workflowBundle: { codePath: await freshWorkflowBundle(workflows) } };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EACCES', 'ENOSPC', 'EPERM', 'EROFS'].includes(code)) throw error;
    return { workflowsPath: fileURLToPath(workflows) };
  }
}
