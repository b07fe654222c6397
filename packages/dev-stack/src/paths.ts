import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root folder of this clone (or of a copy that kept the layout). */
export const projectRoot = resolve(fileURLToPath(new URL('../../..', import.meta.url)));

/** Where stacks keep their data: one folder a stack. */
export const dataRoot = join(projectRoot, '.data');

/** The folder with the pinned sources of a server program. */
export function serverSources(name: string): string {
  return join(projectRoot, 'infra', 'servers', name);
}

/** The user's cache folder for the server programs; shared by all clones, for names carry version and content. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  const base =
    env.XDG_CACHE_HOME ||
    (process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache'));
  return join(base, 'temporal-apps', 'servers');
}

/** A short, stable name for anything that belongs to this clone. */
export function shortHash(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12);
}
