import { ensureProgram } from '@repo/dev-stack';
import { freshWorkflowBundle } from '@repo/worker-kit';
import type { TestProject } from 'vitest/node';

/** As app-servers.ts does it for an app, without the database that nothing here needs. */
export default async function setup(project: TestProject): Promise<void> {
  const [testServer, bundle] = await Promise.all([
    ensureProgram('temporal-test-server'),
    freshWorkflowBundle(new URL('./fixtures/workflows.ts', import.meta.url)),
  ]);
  project.provide('testServerPath', testServer.path);
  project.provide('bundlePath', bundle);
}
