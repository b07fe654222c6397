import { joinStack } from '@repo/dev-stack';
import type { TestProject } from 'vitest/node';

export default async function setup(project: TestProject) {
  const stack = await joinStack({
    need: ['postgres'],
    stack: 'test-notifications',
    ephemeral: true,
    ignoreEnvironment: true,
  });
  project.provide('databaseUrl', stack.postgres?.url ?? '');
  return () => stack.leave();
}

declare module 'vitest' {
  export interface ProvidedContext {
    databaseUrl: string;
  }
}
