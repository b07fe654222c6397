import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { identify, isRunning, type ProcessIdentity } from './processes.ts';

/** A lock between processes, held by this one. */
export interface Lock {
  /** Gives it back; safe in an exit or signal handler, and safe to call twice. */
  release(): void;
}

/**
 * Takes the lock file at `path`, waiting for as long as the process that holds it lives. The lock of a dead process is
 * taken over at once. `onWait` is called once, with the holder, if there is somebody to wait for.
 */
export async function acquireLock(path: string, onWait?: (holder: ProcessIdentity) => void): Promise<Lock> {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  for (;;) {
    if (tryCreate(path)) return heldLock(path);
    const holder = readHolder(path);
    if (holder !== undefined && isRunning(holder)) {
      if (!told) onWait?.(holder);
      told = true;
    } else if (takeOver(path)) {
      return heldLock(path);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function heldLock(path: string): Lock {
  let held = true;
  return {
    release() {
      if (held) rmSync(path, { force: true });
      held = false;
    },
  };
}

let counter = 0;

function tryCreate(path: string): boolean {
  // A link makes name and content appear together: nobody ever sees a lock without its holder.
  const draft = `${path}.${process.pid}.${counter++}`;
  writeFileSync(draft, JSON.stringify(identify(process.pid)));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Replaces a dead process's lock. Guarded, since of two who see the same dead holder only one may remove it. */
function takeOver(path: string): boolean {
  const guard = `${path}.takeover`;
  if (!tryCreate(guard)) {
    // Held for less than a millisecond, so one of 10 s was left by a process that died in here.
    const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > 10_000) rmSync(guard, { force: true });
    return false;
  }
  try {
    const holder = readHolder(path);
    if (holder !== undefined && isRunning(holder)) return false;
    rmSync(path, { force: true });
    return tryCreate(path);
  } finally {
    rmSync(guard, { force: true });
  }
}
