import { joinStack, type SpiceDbAddress } from '@repo/dev-stack';
import type { TestProject } from 'vitest/node';

/** One SpiceDB on PostgreSQL for all test files: they share its schema, and use ids of their own. */
export default async function setup(project: TestProject) {
  const stack = await joinStack({
    need: ['spicedb'],
    stack: 'test-permissions',
    ephemeral: true,
    ignoreEnvironment: true,
  });
  if (stack.spicedb) project.provide('spicedb', stack.spicedb);
  return () => stack.leave();
}

declare module 'vitest' {
  export interface ProvidedContext {
    spicedb: SpiceDbAddress;
  }
}
