import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acquireLock } from '@repo/dev-stack';
import { z } from 'zod';
import { isRunning } from './environment-host/owner.ts';

/** What runs on this machine for one task queue, so that a command in another terminal finds it. */
const record = z.object({
  /** The process to which the environments belong, and with which they end. */
  pid: z.int().positive(),
  /** As in `ENVIRONMENTS`, with the tokens. */
  environments: z.record(z.string(), z.object({ url: z.string(), token: z.string() })),
  /** Missing where the records are those of the clone. */
  databaseUrl: z.string().optional(),
});
export type Surroundings = z.infer<typeof record>;

const places = fileURLToPath(new URL('../../.data/', import.meta.url));
const fileOf = (taskQueue: string) => `${places}${encodeURIComponent(taskQueue)}.json`;

/**
 * Says where the environments for a task queue are, in a file that only this user can read: it has their tokens in it.
 * @returns takes it back, unless somebody else has said something newer
 */
export async function announceSurroundings(taskQueue: string, found: Surroundings): Promise<() => Promise<void>> {
  const file = fileOf(taskQueue);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, JSON.stringify(found), { mode: 0o600 });
  // The mode counts only where the file is new.
  await chmod(partial, 0o600);
  await rename(partial, file);
  return async () => {
    if ((await findSurroundings(taskQueue))?.pid === found.pid) await rm(file, { force: true });
  };
}

/** What was said last for a task queue, if who said it still runs. */
export async function findSurroundings(taskQueue: string): Promise<Surroundings | undefined> {
  const text = await readFile(fileOf(taskQueue), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { data } = record.safeParse(parsed(text));
  return data && isRunning(data.pid) ? data : undefined;
}

/**
 * The environments of this clone for a task queue: those that run, whoever has started them, for there is one set of records
 * and so of environments; or else those that `start` brings up. Of two that ask in the same second, one starts them, and the
 * other one waits for that.
 */
export async function findOrStart(
  taskQueue: string,
  start: () => Promise<Surroundings['environments']>,
): Promise<{ found: Surroundings; takeBack: () => Promise<void> }> {
  const lock = await acquireLock(`${places}starting.lock`);
  try {
    const known = await findSurroundings(taskQueue);
    if (known) return { found: known, takeBack: async () => {} };
    const others = await Promise.all((await announcedQueues()).map(findSurroundings));
    const ofTheClone = others.find((one) => one && one.databaseUrl === undefined);
    const found = ofTheClone ?? { pid: process.pid, environments: await start() };
    return { found, takeBack: await announceSurroundings(taskQueue, found) };
  } finally {
    lock.release();
  }
}

/** The task queues for which environments run on this machine, by announcement. */
export async function announcedQueues(): Promise<string[]> {
  const names = await readdir(places).catch(() => []);
  const queues = names.flatMap((name) => (name.endsWith('.json') ? [decodeURIComponent(name.slice(0, -5))] : []));
  const found = await Promise.all(queues.map(findSurroundings));
  return queues.filter((_, index) => found[index]);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
