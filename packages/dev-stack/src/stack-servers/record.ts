import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { identify, isRunning, type ProcessIdentity, signalProcess, waitForExit } from '../processes.ts';
import { factsOf, type ServerName } from './server-facts.ts';

/** What a daemon writes down, so that the next one can clean up if it is killed. */
export interface StackRecord {
  stack: string;
  project: string;
  socket: string;
  daemon: ProcessIdentity;
  servers: Partial<Record<ServerName, { process: ProcessIdentity; ports: number[] }>>;
  /** Folders to remove with the stack. */
  temporaryFolders: string[];
}

/** Reads the record of a stack; undefined if there is none (or none that can be read). */
export function readRecord(path: string): StackRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as StackRecord;
  } catch {
    return undefined;
  }
}

/** Replaces the record; nobody reads half of one. */
export function writeRecord(path: string, record: StackRecord): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(record, null, 2), { mode: 0o600 });
  renameSync(draft, path);
}

/** Whether the daemon that wrote the record still runs. */
export function daemonRuns(record: StackRecord): boolean {
  return isRunning(record.daemon);
}

/**
 * Ends the servers that a dead daemon left, if they are verifiably those, and removes its temporary folders and record.
 * @returns the names of the servers that were still running
 */
export async function cleanUpAfter(record: StackRecord, path: string): Promise<string[]> {
  const running = (Object.entries(record.servers) as [ServerName, { process: ProcessIdentity }][]).filter(
    ([, server]) => isRunning(server.process),
  );
  const ephemeral = record.temporaryFolders.length > 0;
  await Promise.all(
    running.map(([name, server]) => (ephemeral ? killServerProcess(server.process) : endServer(name, server.process))),
  );
  for (const folder of record.temporaryFolders) rmSync(folder, { recursive: true, force: true });
  rmSync(path, { force: true });
  rmSync(record.socket, { force: true });
  return running.map(([name]) => name);
}

/** Ends a server as kindly as it can be done in a few seconds. */
export async function endServer(name: ServerName, server: ProcessIdentity): Promise<void> {
  const { signal, withinMs } = factsOf(name).ending;
  signalProcess(server, `SIG${signal}`);
  if (await waitForExit(server, withinMs)) return;
  await killServerProcess(server);
}

/** Ends a server at once. */
export async function killServerProcess(server: ProcessIdentity): Promise<void> {
  signalProcess(server, 'SIGKILL');
  await waitForExit(server, 5000);
}

/** This process, as it is written into records. */
export function thisProcess(): ProcessIdentity {
  const found = identify(process.pid);
  if (!found) throw new Error('this process cannot be identified');
  return found;
}
