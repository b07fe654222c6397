import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '../operator-error.ts';
import { shortHash } from '../paths.ts';
import { ownFolder } from './places.ts';

/** The user a server runs as, by number. */
export interface UserId {
  uid: number;
  gid: number;
}

/**
 * The user to run PostgreSQL as: undefined means this one. PostgreSQL refuses to run as root, so root lends it the
 * user `postgres` or, where there is none, `nobody`.
 */
export function postgresUser(): UserId | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = entries.map((line) => line.split(':')).find((entry) => entry[0] === name);
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new OperatorError(
    'PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody.',
    'Run it as another user, or add one: useradd --system postgres',
  );
}

/** Whether this user can reach `path` through all the folders above it. */
function canReach(path: string, user: UserId): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found && !allows(found, user, 1)) return false;
    if (folder === dirname(folder)) return true;
  }
}

/**
 * Where the data folders of this stack's PostgreSQL are: in the stack's own folder, or, if the server's user cannot get
 * there (a clone below /root), in one in /var/tmp.
 */
export function postgresHome(stackFolder: string, hash: string, user: UserId | undefined): string {
  if (!user || canReach(stackFolder, user)) return stackFolder;
  return ownFolder(`/var/tmp/temporal-apps-${hash}`, 0o711);
}

/** PostgreSQL's programs where its user can read them: as they are, or a copy in /var/tmp. */
export function reachablePrograms(folder: string, version: string, user: UserId | undefined): string {
  const real = realpathSync(folder);
  if (!user || programsReadable(real, user)) return real;
  const home = dirname(real);
  const base = ownFolder(`/var/tmp/temporal-apps-programs-${process.getuid?.()}`, 0o711);
  const copy = join(base, `postgres-${shortHash(home, version)}`);
  if (!existsSync(copy)) {
    const partial = `${copy}.partial-${process.pid}`;
    rmSync(partial, { recursive: true, force: true });
    for (const part of ['bin', 'lib', 'share']) {
      if (existsSync(join(home, part))) {
        cpSync(join(home, part), join(partial, part), { recursive: true, verbatimSymlinks: true });
      }
    }
    makeReadable(partial);
    try {
      renameSync(partial, copy);
    } catch (error) {
      // Another stack of this user was quicker: its copy is as good.
      rmSync(partial, { recursive: true, force: true });
      if (!existsSync(copy)) throw error;
    }
  }
  return join(copy, 'bin');
}

/** Makes a folder that belongs to the server's user and is closed to others. */
export function makeFolderFor(path: string, user: UserId | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (user) chownSync(path, user.uid, user.gid);
  chmodSync(path, 0o700);
}

function programsReadable(folder: string, user: UserId): boolean {
  const needed = [join(folder, 'postgres'), join(folder, 'initdb'), join(dirname(folder), 'lib')];
  return canReach(folder, user) && needed.every((path) => allows(statSync(path), user, 5));
}

/** Whether the mode bits give this user `wanted` (4 read, 2 write, 1 execute or traverse). */
function allows(found: Stats, user: UserId, wanted: number): boolean {
  const shift = found.uid === user.uid ? 6 : found.gid === user.gid ? 3 : 0;
  return ((found.mode >> shift) & wanted) === wanted;
}

/** A strict umask may have made the originals private to root. */
function makeReadable(path: string): void {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return;
  const traverse = found.isDirectory() || (found.mode & 0o100) !== 0 ? 0o111 : 0;
  chmodSync(path, (found.mode & 0o777) | 0o444 | traverse);
  if (found.isDirectory()) for (const name of readdirSync(path)) makeReadable(join(path, name));
}
