import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere } from '../../services/durable-file.ts';

/**
 * Makes this process the only one that serves from a folder: two would each go on from what they know themselves.
 * @throws Error if another process has it that still runs
 */
export async function takeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'served-by.pid');
  for (;;) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const pid = Number(await readIfThere(file));
    if (pid !== process.pid && isRunning(pid)) {
      throw new Error(
        `process ${pid} serves from ${folder} already: end it, or, if it is something else, remove ${file}`,
      );
    }
    await rm(file, { force: true });
  }
}

export function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
