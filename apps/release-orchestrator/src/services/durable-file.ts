import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const noSuchFile = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);
const partial = '.partial';
const abandonedAfterMs = 60 * 60 * 1000;

/**
 * Writes a file that is seen whole or not at all, and that survives a crash of the machine once this is done. Two who
 * write the same path at once do no harm: one of them is last.
 */
export async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `${randomUUID()}${partial}`);
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Makes what was created, renamed or removed in a folder survive a crash of the machine. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what writers have left in a folder who were killed; `olderThanMs` leaves alone those who are still at it. */
export async function removePartials(folder: string, olderThanMs = abandonedAfterMs): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((one) => one.endsWith(partial))) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs >= olderThanMs)
      await rm(join(folder, name), { force: true, recursive: true });
  }
}

/** The content of a file; undefined if there is no file of that name. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (noSuchFile.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
