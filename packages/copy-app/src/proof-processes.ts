import { execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { delimiter, sep } from 'node:path';
import { promisify } from 'node:util';

/**
 * The environment as somebody has it who never saw the repository: nothing that pnpm adds for its scripts (its PATH
 * would lend programs that a copy lacks), and no servers but the copy's own.
 */
export function outsideEnvironment(root: string, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const ofScripts =
    /^(npm_(package|lifecycle|command|execpath|node_execpath|config_user_agent)|pnpm_|init_cwd$|node_)/i;
  const ofServers = /^(DATABASE_URL$|(TEMPORAL|SPICEDB)_(?!.*_PATH$))/;
  const kept = Object.entries(env).filter(([name]) => !ofScripts.test(name) && !ofServers.test(name));
  const path = (env.PATH ?? '').split(delimiter).filter((folder) => !`${folder}${sep}`.startsWith(root + sep));
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
}

/** How a command ended: `failure` says why it did not end with 0. Times are in milliseconds. */
export interface Ran {
  failure: string | undefined;
  output: string;
  took: number;
}

/** How long a command that was interrupted may take to stop its servers. */
const graceMs = 20_000;

/** Runs a command in a process group of its own. An abort, or the time limit, ends the group like Ctrl-C would. */
export function run(
  { command, args, timeLimitMs }: { command: string; args: string[]; timeLimitMs: number },
  { cwd, env, signal }: { cwd: string; env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<Ran> {
  const started = performance.now();
  return new Promise((resolve) => {
    let output = '';
    let late = false;
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const stop = () => {
      killGroup(child.pid, 'SIGINT');
      setTimeout(() => killGroup(child.pid, 'SIGKILL'), graceMs).unref();
    };
    const limit = setTimeout(() => {
      late = true;
      stop();
    }, timeLimitMs);
    const end = (failure: string | undefined) => {
      clearTimeout(limit);
      signal.removeEventListener('abort', stop);
      resolve({
        failure: late ? `not done after ${timeLimitMs / 1000} s` : failure,
        output,
        took: performance.now() - started,
      });
    };
    signal.addEventListener('abort', stop, { once: true });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    child.once('error', (error) => end(error.message));
    child.once('close', (code, by) => end(code === 0 ? undefined : `it ended with ${by ?? `exit code ${code}`}`));
  });
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid !== undefined) kill(-pid, signal);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone.
  }
}

/**
 * Waits for the processes whose command line names a folder: servers go after whoever used them. What is still there
 * after some time is killed.
 */
export async function endProcessesOf(folder: string): Promise<void> {
  const deadline = Date.now() + graceMs;
  for (;;) {
    const pids = await processesOf(folder);
    if (pids.length === 0) return;
    if (Date.now() > deadline) for (const pid of pids) kill(pid, 'SIGKILL');
    if (Date.now() > deadline + 5000) throw new Error(`These processes of ${folder} do not end: ${pids.join(', ')}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function processesOf(folder: string): Promise<number[]> {
  const asked = promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,args='], { maxBuffer: 64 << 20 });
  // A container may have no ps; then nothing is known, and `removed` has to be patient.
  const { stdout } = await asked.catch(() => ({ stdout: '' }));
  return stdout
    .split('\n')
    .filter((line) => line.includes(`${folder}${sep}`))
    .map((line) => Number.parseInt(line, 10))
    .filter((pid) => pid !== process.pid);
}

/** Removes a folder, also one into which a process that ends still writes. */
export function removed(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
}
