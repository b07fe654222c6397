import { readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Entry, entryOf, isOurs } from './entries.ts';
import { filesBelow, type Member, type Repository } from './repository.ts';
import { at, isSource, type Reference, readSource } from './source.ts';

/** What an app uses of the packages of its repository. */
export interface Reached {
  /** By specifier, as it is imported: `@repo/dev-stack/commands`. */
  entries: Map<string, Entry>;
  packages: Set<Member>;
  /** The files of packages that are needed, as paths from the root. */
  files: Set<string>;
}

/**
 * Follows imports, and `new URL('…', import.meta.url)`, from the files of an app into packages and on from there. So
 * what a package has for this repository alone, such as the runner of all tests, stays behind.
 *
 * @param starts paths from the root: the app's files, and programs in packages that are started by a script
 * @throws Error if something leads to where a copy would not find it
 */
export function reachedFrom(repository: Repository, starts: string[]): Reached {
  const reached: Reached = { entries: new Map(), packages: new Set(), files: new Set() };
  const seen = new Set<string>();
  const queue = [...starts];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const member = packageOf(repository, file);
    if (member !== undefined) {
      reached.packages.add(member);
      reached.files.add(file);
    }
    if (isSource(file)) queue.push(...next(repository, reached, file, member));
  }
  return reached;
}

function packageOf({ packages }: Repository, file: string): Member | undefined {
  return [...packages.values()].find(({ path }) => file.startsWith(`${path}/`));
}

function next(repository: Repository, reached: Reached, file: string, member: Member | undefined): string[] {
  const text = readFileSync(join(repository.root, file), 'utf8');
  const { imports, urls } = readSource(file, text);
  const files = imports.flatMap((reference): string[] => {
    const { value, start } = reference;
    if (isOurs(value)) {
      try {
        const entry = entryOf(repository, value);
        reached.entries.set(value, entry);
        return [entry.file];
      } catch (cause) {
        throw new Error(`${at(file, text, start)} imports ${value}: ${(cause as Error).message}`, { cause });
      }
    }
    // All files of the app come along anyway.
    return member !== undefined && value.startsWith('.') ? [inside(member, file, text, reference)] : [];
  });
  if (member === undefined) return files;
  return [
    ...files,
    ...urls
      // The one way out of a package: its root is three levels up here, and in a copy too.
      .filter(({ value }) => posix.join(posix.dirname(file), value) !== '.')
      .flatMap((reference) => filesAt(repository.root, inside(member, file, text, reference))),
  ];
}

function inside(member: Member, file: string, text: string, { value, start }: Reference): string {
  const target = posix.join(posix.dirname(file), value);
  if (target.startsWith(`${member.path}/`)) return target;
  throw new Error(`${at(file, text, start)} refers to ${value}, outside of ${member.path}: a copy would not find it`);
}

function filesAt(root: string, path: string): string[] {
  const found = statSync(join(root, path), { throwIfNoEntry: false });
  if (found === undefined) return [];
  return found.isDirectory() ? filesBelow(root, path) : [path];
}
