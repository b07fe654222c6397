import { posix } from 'node:path';
import type { Workspace } from './workspace.ts';

/** Whether a specifier such as `@repo/ledger/contract` is an entry that its package declares as workflow-safe. */
export function isSafeEntry({ packages }: Workspace, specifier: string): boolean {
  const found = packages.find(({ manifest: { name } }) => specifier === name || specifier.startsWith(`${name}/`));
  if (found === undefined) return false;
  const { name, workflowSafe = false } = found.manifest;
  if (typeof workflowSafe === 'boolean') return workflowSafe;
  return workflowSafe.includes(specifier === name ? '.' : `.${specifier.slice(name?.length)}`);
}

/**
 * Why a file of a package must not be part of a workflow bundle, with what to do about it; undefined if it may.
 *
 * @param file path from the root
 */
export function unsafeFile({ packages }: Workspace, file: string): string | undefined {
  const found = packages.find(({ path }) => file.startsWith(`${path}/`));
  if (found === undefined) return 'is outside of every app and package; move it into a package';
  const { name, workflowSafe = false, exports = {} } = found.manifest;
  if (workflowSafe === true) return undefined;
  if (workflowSafe === false || workflowSafe.length === 0) {
    return `${name} is not workflow-safe; call it in an activity, or, if nothing in it reaches Node, the network or a clock, say "workflowSafe" in its package.json`;
  }
  // A safe entry may reach files inside its package, but not come out at an entry that was left out on purpose.
  const entry = Object.keys(exports).find((key) => posix.join(found.path, String(exports[key])) === file);
  if (entry === undefined || workflowSafe.includes(entry)) return undefined;
  return `"${entry}" is not among the workflow-safe entries of ${name} (${workflowSafe.join(', ')}); import one of those`;
}
