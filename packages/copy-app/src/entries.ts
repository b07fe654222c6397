import { posix } from 'node:path';
import type { Member, Repository } from './repository.ts';

/** One entry of a package's `exports`, and how a copy imports it. */
export interface Entry {
  member: Member;
  /** Path from the root of the repository: `packages/dev-stack/src/app-commands.ts`. */
  file: string;
  /** `#dev-stack/commands`. */
  alias: string;
}

/** Whether a specifier is that of a package of this repository. */
export const isOurs = (specifier: string): boolean => specifier.startsWith('@repo/');

/**
 * The entry that `@repo/dev-stack/commands` stands for.
 * @throws Error if there is no such package or entry, or one that is more than the path of a file
 */
export function entryOf({ packages }: Repository, specifier: string): Entry {
  const [scope, folder, ...rest] = specifier.split('/');
  const member = packages.get(`${scope}/${folder}`);
  if (member === undefined) throw new Error(`there is no package ${scope}/${folder}`);
  const key = ['.', ...rest].join('/');
  const target = member.manifest.exports?.[key];
  if (typeof target !== 'string' || target.includes('*')) {
    throw new Error(`"exports" in ${member.path}/package.json must say in one string which file "${key}" is`);
  }
  return { member, file: posix.join(member.path, target), alias: `#${[folder, ...rest].join('/')}` };
}
