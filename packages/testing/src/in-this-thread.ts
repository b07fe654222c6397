import v8 from 'node:v8';
import type { WorkerOptions } from '@temporalio/worker';

/**
 * For `Worker.create`: workflows run in the thread of the test. In one of its own each worker loads the SDK anew, which takes
 * longer than what most tests want of it. An activation may take five seconds, as in production.
 */
export function inThisThread(): Pick<WorkerOptions, 'debugMode'> {
  keepToWorkflows();
  // The SDK has the limit and does not document it. Without it, a workflow that loops would hang all tests.
  const options = { debugMode: true, isolateExecutionTimeout: '5s' };
  return options;
}

let kept = false;

/**
 * Keeps what the SDK does for workflows from all else that runs in this thread. It must be called before the first worker or
 * replay that runs workflows here: the SDK begins with that one, and never ends.
 */
export function keepToWorkflows(): void {
  if (kept) return;
  kept = true;
  traceNoPromise();
  mapOwnErrors();
}

/** The SDK traces promises for the query `__stack_trace`, and looks into each promise of the thread to see whose it is. */
function traceNoPromise(): void {
  const { createHook } = v8.promiseHooks;
  // The SDK's hook hears of no `before`. The one that carries AsyncLocalStorage does: by it workflows know their scope.
  v8.promiseHooks.createHook = (hooks) => (hooks.before ? createHook(hooks) : () => {});
}

/** The SDK takes each error but a plain one for a workflow's: a failed assertion would be shown at another line. */
function mapOwnErrors(): void {
  const own = Error.prepareStackTrace;
  if (!own) return;
  let ofWorkflows = own;
  // A workflow has a realm, and so an Error, of its own.
  const prepare: typeof own = (error, sites) => (error instanceof Error ? own : ofWorkflows)(error, sites);
  const set = (given: typeof own) => {
    ofWorkflows = given;
  };
  Object.defineProperty(Error, 'prepareStackTrace', { configurable: true, get: () => prepare, set });
}
