import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** How many starts of the past can still be looked into, whatever they were of. */
const keptStarts = 50;

/**
 * Where a start keeps the output of its children: a folder that is not there yet, in `<dataFolder>/logs`. The folders of
 * starts of long ago go; the servers' own logs, which are files, stay.
 */
export function newLogFolder(dataFolder: string, app: string, suffix: string): string {
  const logs = join(dataFolder, 'logs');
  try {
    const folders = readdirSync(logs, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const starts = folders.map(({ name }) => ({ path: join(logs, name), at: statSync(join(logs, name)).mtimeMs }));
    starts.sort((one, other) => other.at - one.at);
    for (const { path } of starts.slice(keptStarts)) rmSync(path, { recursive: true, force: true });
  } catch {
    // There are none yet, or another start is at it in this moment.
  }
  return join(logs, `${app}-${suffix}`);
}
