import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A process that can be told from a later one with the same number. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in a form of this platform's own; only good for comparing. */
  started: string;
}

/** Identifies a running process; undefined when there is none with this number (or only a zombie). */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether this very process still runs. */
export function isRunning(process: ProcessIdentity): boolean {
  return identify(process.pid)?.started === process.started;
}

/** Sends a signal to this very process; false when it is gone already. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(target)) return false;
  try {
    return process.kill(target.pid, signal);
  } catch {
    return false;
  }
}

/** Waits until this process is gone; false when it still runs after `timeout` ms. */
export async function waitForExit(target: ProcessIdentity, timeout: number): Promise<boolean> {
  const deadline = Date.now() + timeout;
  while (isRunning(target)) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}

function linuxStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program's name, in brackets, may itself hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ended = fields[0] === 'Z' || fields[0] === 'X';
    // A main thread that has ended is a zombie while others still end, and until then its ports are taken.
    return ended && readdirSync(`/proc/${pid}/task`).length <= 1 ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function psStartTime(pid: number): string | undefined {
  try {
    const [state, ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    })
      .trim()
      .split(/\s+/);
    return !state || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}
