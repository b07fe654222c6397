import { joinStack, type ServerName } from '@repo/dev-stack';
import { searchAttributes } from '@repo/worker-kit/search-attributes';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, inject } from 'vitest';
import { quietRuntime } from './quiet-runtime.ts';

/**
 * A time-skipping Temporal of this test file's own, with the search attributes that every app upserts. It has one clock:
 * tests of one file run one after another. It ends after the file's last test, if this is called where the file itself runs:
 * vitest does not hear of a hook that is made in another hook.
 */
export async function timeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  quietRuntime();
  const env = await startTestServer();
  afterAll(() => env.teardown());
  const keyword = 2;
  await env.connection.operatorService.addSearchAttributes({
    namespace: env.namespace ?? 'default',
    searchAttributes: Object.fromEntries(searchAttributes.map((name) => [name, keyword])),
  });
  return env;
}

/**
 * The Temporal dev server that all test files share (`temporalAddress`), with connections of this test file's own, for what
 * the time-skipping one cannot do: update-with-start by many at once, lists, schedules, reset, a terminate in the middle of
 * an activity, a worker that is away. Its task queues and workflow ids are the file's own to choose. The connections end
 * after the file's last test.
 */
export async function realEnvironment(): Promise<TestWorkflowEnvironment> {
  quietRuntime();
  const env = await TestWorkflowEnvironment.createFromExistingServer({ address: temporalAddress() });
  afterAll(() => env.teardown());
  return env;
}

/** The SDK gives the server five seconds to start, which a busy machine may need for Java alone: asked again, it is warm. */
async function startTestServer(attempt = 1): Promise<TestWorkflowEnvironment> {
  try {
    return await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path: inject('testServerPath') } },
    });
  } catch (error) {
    if (attempt === 8 || !/did not start within/.test(String(error))) throw error;
    return startTestServer(attempt + 1);
  }
}

/** For `Worker.create`: the bundle that all test files of the app share. */
export const workflowBundle = () => ({ codePath: inject('bundlePath') });

/** The administrator's URL of a PostgreSQL that this test run has for itself. */
export const postgresUrl = () => inject('postgresUrl');

/** A Temporal dev server that all test files share, if the configuration's `provide.needs` names it: use a task queue of your own. */
export const temporalAddress = () => inject('temporalAddress');

/** A SpiceDB that all test files share, if the configuration's `provide.needs` names it. */
export const spicedb = () => inject('spicedb');

/**
 * Another lease on the servers of this test run, for what stops and starts them; while it does, the other files have to
 * do without.
 */
export const joinTestStack = (need: ServerName[]) =>
  joinStack({ need, stack: inject('stackName'), ephemeral: true, ignoreEnvironment: true });
