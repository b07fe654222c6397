import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { workflowBundle } from './environment.ts';

/** The worker of a test file, which can be away for a while. */
export interface TestWorker {
  /** Another one like it, which does not run yet. */
  create(more?: Partial<WorkerOptions>): Promise<Worker>;
  /** Resolves when it is there. */
  start(): Promise<void>;
  /** Resolves when it has finished what it had; at once if none runs. */
  stop(): Promise<void>;
}

/**
 * A worker for the app's workflows and these activities. Nobody stops it: do so in an `afterAll`, before what its activities
 * use is closed.
 * @param options asked each time that a worker is made
 */
export function testWorker(
  env: TestWorkflowEnvironment,
  taskQueue: string,
  options: () => Partial<WorkerOptions>,
): TestWorker {
  let running: { worker: Worker; end: Promise<void> } | undefined;
  const create = (more: Partial<WorkerOptions> = {}) =>
    Worker.create({
      connection: env.nativeConnection,
      taskQueue,
      workflowBundle: workflowBundle(),
      ...options(),
      ...more,
    });
  return {
    create,
    start: async () => {
      const worker = await create();
      running = { worker, end: worker.run() };
    },
    stop: async () => {
      const stopping = running;
      running = undefined;
      stopping?.worker.shutdown();
      await stopping?.end;
    },
  };
}
