import { pathToFileURL } from 'node:url';
import { ensureProgram, joinStack, type ServerName, type SpiceDbAddress } from '@repo/dev-stack';
import { freshWorkflowBundle } from '@repo/worker-kit';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** In the app's vitest configuration: the servers that all its test files share. PostgreSQL alone, if left out. */
    needs?: ServerName[];
    stackName: string;
    postgresUrl: string;
    temporalAddress: string;
    spicedb: SpiceDbAddress;
    testServerPath: string;
    bundlePath: string;
  }
}

/** What all test files of one app share. It is given back when the run ends, in whatever way it ends. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const need = project.getProvidedContext().needs ?? ['postgres'];
  const [stack, testServer, bundle] = await Promise.all([
    joinStack({ need, ephemeral: true, ignoreEnvironment: true }),
    ensureProgram('temporal-test-server'),
    freshWorkflowBundle(pathToFileURL(`${project.config.root}/src/workflows.ts`)),
  ]);
  project.provide('stackName', stack.name);
  if (stack.postgres) project.provide('postgresUrl', stack.postgres.url);
  if (stack.temporal) project.provide('temporalAddress', stack.temporal.address);
  if (stack.spicedb) project.provide('spicedb', stack.spicedb);
  project.provide('testServerPath', testServer.path);
  project.provide('bundlePath', bundle);
  return () => stack.leave();
}
