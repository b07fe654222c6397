import v8 from 'node:v8';
import type { WorkerOptions } from '@temporalio/worker';

const { createHook } = v8.promiseHooks;

/**
 * For `Worker.create`: workflows run in the thread of the test. In one of its own each worker loads the SDK anew, which takes
 * longer than what most tests want of it. An activation may take five seconds, as in production.
 *
 * From the first call on, no promise of this process is traced for the query `__stack_trace`. In a thread of workflows the SDK
 * traces theirs alone; here it would look into each promise of the tests, the activities and the services.
 */
export function inThisThread(): Pick<WorkerOptions, 'debugMode'> {
  // The SDK's hook hears of no `before`. The one that carries AsyncLocalStorage does: by it workflows know their scope.
  v8.promiseHooks.createHook = (hooks) => (hooks.before ? createHook(hooks) : () => {});
  // The SDK has the limit and does not document it. Without it, a workflow that loops would hang all tests.
  const options = { debugMode: true, isolateExecutionTimeout: '5s' };
  return options;
}
