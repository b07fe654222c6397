import { randomUUID } from 'node:crypto';
import { lstatSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { InvalidInputError, OperatorError } from '@repo/worker-kit/errors';
import type { CopyFile } from './plan.ts';

/** A folder that a copy may be written to. */
export interface Destination {
  /** Absolute, with symbolic links resolved. */
  folder: string;
  /** The base name, which is the project's name. */
  name: string;
  /** Whether it is there already, and empty. */
  exists: boolean;
}

const refuse = (message: string) => new InvalidInputError([{ field: 'folder', message }]);

/**
 * Checks where a copy is to go. Writes nothing.
 *
 * @param root the repository's absolute path, with symbolic links resolved
 * @throws InvalidInputError if it is not empty, lies in the repository, or has no name for a project
 */
export function destinationOf(given: string, from: string, root: string): Destination {
  const wanted = resolve(from, given);
  const found = lstatSync(wanted, { throwIfNoEntry: false });
  // A link to an empty folder will do; the folder's own name counts then.
  const target = found ? statSync(wanted, { throwIfNoEntry: false }) : undefined;
  if (found && !target?.isDirectory()) throw refuse(`${wanted} is there already, and is not a folder`);
  const parent = dirname(wanted);
  if (!found && !statSync(parent, { throwIfNoEntry: false })?.isDirectory()) {
    throw refuse(`there is no folder ${parent} to put it in; make it first`);
  }
  const folder = found ? realpathSync(wanted) : join(realpathSync(parent), basename(wanted));
  const way = relative(root, folder);
  if (way === '' || !(way === '..' || way.startsWith(`..${sep}`) || resolve(way) === way)) {
    throw refuse(`${folder} lies in the repository that is copied from; name one outside of it`);
  }
  if (found && readdirSync(folder).length > 0) throw refuse(`${folder} is not empty`);
  const name = basename(folder);
  const problem = problemWithName(name);
  if (problem) throw refuse(`its last part becomes the project's name, and "${name}" cannot be one: ${problem}`);
  return { folder, name, exists: found !== undefined };
}

/** What npm has against a name; undefined if nothing. */
function problemWithName(name: string): string | undefined {
  if (name.length > 214) return 'npm allows 214 characters';
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name)) {
    return 'npm wants lower-case letters, digits, hyphens, dots and underscores, and a letter or digit first';
  }
  if (name === 'node_modules' || name === 'favicon.ico' || builtinModules.includes(name))
    return 'it means something else';
  return undefined;
}

/**
 * Writes all files, or none: what is written gets its name only when it is complete.
 *
 * @throws the signal's reason once it is aborted, OperatorError where this user may not write or the disk is full,
 * InvalidInputError if somebody else has made the folder meanwhile; nothing is left behind
 */
export async function writeCopy(
  { folder, exists }: Destination,
  files: Map<string, CopyFile>,
  signal: AbortSignal,
): Promise<void> {
  // A folder that is there may be where somebody's shell is, or a mount: it stays, and is filled at once at the end.
  const partial = join(exists ? folder : dirname(folder), `.copy-app-${randomUUID()}`);
  try {
    // Not mkdtemp, whose folders are closed to others: the servers of root run as another user.
    await mkdir(partial);
    for (const [path, { content, executable }] of files) {
      signal.throwIfAborted();
      await mkdir(dirname(join(partial, path)), { recursive: true });
      await writeFile(join(partial, path), content, { mode: executable ? 0o777 : 0o666 });
    }
    signal.throwIfAborted();
    if (exists) fill(folder, partial);
    else renameSync(partial, folder);
  } catch (error) {
    throw explained(error, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function fill(folder: string, partial: string): void {
  const moved: string[] = [];
  if (readdirSync(folder).length > 1) throw refuse(`${folder} is not empty`);
  try {
    for (const name of readdirSync(partial)) {
      renameSync(join(partial, name), join(folder, name));
      moved.push(name);
    }
  } catch (error) {
    for (const name of moved) rmSync(join(folder, name), { recursive: true, force: true });
    throw error;
  }
}

/** What a system error means for whoever wanted a copy there; gives back anything else as it is. */
export function explained(error: unknown, folder: string): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOTEMPTY':
    case 'EEXIST':
    case 'ENOTDIR':
      return refuse(`${folder} is there already, and is not empty`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new OperatorError(`Not allowed to write ${folder}.`, 'Name a folder that you may write to.', {
        cause: error,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new OperatorError(`No space left on the disk for ${folder}.`, 'Free some space and run it again.', {
        cause: error,
      });
    default:
      // Whatever else the system says of that place (a folder of /proc, a name that is too long) is no bug of ours.
      return (error as NodeJS.ErrnoException).syscall === undefined
        ? error
        : new OperatorError(`Cannot write ${folder}: ${(error as Error).message}`, 'Name another folder.', {
            cause: error,
          });
  }
}
