import { joinStack } from '@repo/dev-stack';
// What test files get by `inject` is typed there.
import type {} from '@repo/testing';
import type { TestProject } from 'vitest/node';

/** One Temporal dev server for all test files. */
export default async function setup(project: TestProject) {
  const need = ['temporal' as const];
  const stack = await joinStack({ need, stack: 'test-reconciler', ephemeral: true, ignoreEnvironment: true });
  project.provide('temporalAddress', stack.temporal?.address ?? '');
  return () => stack.leave();
}
