/** The parts of an app that its source files belong to. */
export type Part = 'contract' | 'workflows' | 'activities' | 'services' | 'worker' | 'starter' | 'extras';

/** The core, in the order in which it is read. */
export const core = ['contract', 'workflows', 'activities', 'services', 'worker', 'starter'] as const;

const folders = ['extras', 'contract', 'workflows', 'services'] as const;

/**
 * The part of an app that a path belongs to: `src/contract.ts`, `src/workflows.ts` or anything in `src/workflows/`,
 * likewise `src/contract/` and `src/services/`, anything in `src/extras/`. Undefined for tests, and for what has no place
 * in `src`.
 *
 * @param path from the app's own folder
 */
export function partOf(path: string): Part | undefined {
  const folder = folders.find((part) => path.startsWith(`src/${part}/`));
  if (folder) return folder;
  return core.find((part) => path === `src/${part}.ts`);
}
