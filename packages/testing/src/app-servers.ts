import { pathToFileURL } from 'node:url';
import { ensureProgram, joinStack } from '@repo/dev-stack';
import { freshWorkflowBundle } from '@repo/worker-kit';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
    testServerPath: string;
    bundlePath: string;
  }
}

/** What all test files of one app share. It is given back when the run ends, in whatever way it ends. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [stack, testServer, bundle] = await Promise.all([
    joinStack({ need: ['postgres'], ephemeral: true, ignoreEnvironment: true }),
    ensureProgram('temporal-test-server'),
    freshWorkflowBundle(pathToFileURL(`${project.config.root}/src/workflows.ts`)),
  ]);
  if (!stack.postgres) throw new Error('the stack came up without the PostgreSQL that was asked for');
  project.provide('postgresUrl', stack.postgres.url);
  project.provide('testServerPath', testServer.path);
  project.provide('bundlePath', bundle);
  return () => stack.leave();
}
