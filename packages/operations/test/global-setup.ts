import { joinStack } from '@repo/dev-stack';
import type { TestProject } from 'vitest/node';

export default async function setup(project: TestProject) {
  // Never a database that somebody has set for something else.
  delete process.env.DATABASE_URL;
  const stack = await joinStack({ need: ['postgres'], stack: 'test-operations', ephemeral: true });
  project.provide('databaseUrl', stack.postgres?.url ?? '');
  return () => stack.leave();
}

declare module 'vitest' {
  export interface ProvidedContext {
    databaseUrl: string;
  }
}
