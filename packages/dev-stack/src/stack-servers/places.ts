import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '../operator-error.ts';
import { dataRoot, projectRoot, shortHash } from '../paths.ts';

/** Where one stack keeps its things. */
export interface StackPlaces {
  name: string;
  ephemeral: boolean;
  /** Record, secrets, logs and data. */
  folder: string;
  record: string;
  secrets: string;
  logs: string;
  spawnLock: string;
  socket: string;
  /** Tells this stack's things from those of other clones where they share a folder. */
  hash: string;
}

/**
 * The places of a stack. A durable one lives in `.data/<name>`, an ephemeral one in the user's private temporary folder.
 * @throws OperatorError for a name that is not made of letters, digits, `-` and `_`
 */
export function stackPlaces(options: { stack?: string | undefined; ephemeral?: boolean | undefined }): StackPlaces {
  const ephemeral = options.ephemeral ?? false;
  const name = options.stack ?? (ephemeral ? `test-${randomBytes(6).toString('hex')}` : 'main');
  if (!/^[A-Za-z0-9][\w-]{0,60}$/.test(name)) {
    throw new OperatorError(`A stack cannot be called ${JSON.stringify(name)}.`, 'Use letters, digits, - and _ only.');
  }
  const hash = shortHash(projectRoot, name, String(ephemeral));
  const folder = ephemeral ? join(privateFolder(), hash) : join(dataRoot, name);
  return {
    name,
    ephemeral,
    folder,
    record: join(folder, 'stack.json'),
    secrets: join(folder, 'secrets.json'),
    logs: join(folder, 'logs'),
    spawnLock: join(ephemeral ? privateFolder() : folder, `${ephemeral ? hash : 'spawn'}.lock`),
    socket: join(privateFolder(), `${hash}.sock`),
    hash,
  };
}

/**
 * This user's folder for sockets and ephemeral stacks, 0700.
 * @throws OperatorError if somebody else has taken its name
 */
export function privateFolder(): string {
  const user = process.getuid?.() ?? 0;
  // A socket's path must stay below 104 bytes, and macOS has temporary folders of 50.
  const base = Buffer.byteLength(tmpdir()) > 55 ? '/tmp' : tmpdir();
  return ownFolder(join(base, `temporal-apps-${user}`), 0o700);
}

/**
 * Makes a folder of this user in a place where others may write, and makes sure that it is this user's.
 * @throws OperatorError if it is a link, or belongs to somebody else
 */
export function ownFolder(path: string, mode: number): string {
  mkdirSync(path, { recursive: true, mode });
  // Not of what a link leads to: anybody may have put one there, and its target would get this mode.
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) {
    throw new OperatorError(`${path} is a link, or belongs to another user.`, 'Set TMPDIR to a folder of your own.');
  }
  if ((found.mode & 0o777) !== mode) chmodSync(path, mode);
  return path;
}

/** A fingerprint that says whether two secrets are the same without showing either. */
export function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 16);
}
