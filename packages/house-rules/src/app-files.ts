/** The parts of an app that its source files belong to. */
export type Part = 'contract' | 'workflows' | 'activities' | 'services' | 'worker' | 'starter' | 'extras';

/** The core, in the order in which it is read. */
export const core = ['contract', 'workflows', 'activities', 'services', 'worker', 'starter'] as const;

/**
 * The part of an app that a path belongs to: `src/contract.ts`, `src/workflows.ts` or anything in `src/workflows/`,
 * anything in `src/extras/`. Undefined for tests, and for what has no place in `src`.
 *
 * @param path from the app's own folder
 */
export function partOf(path: string): Part | undefined {
  if (path.startsWith('src/extras/')) return 'extras';
  if (path.startsWith('src/workflows/')) return 'workflows';
  return core.find((part) => path === `src/${part}.ts`);
}
