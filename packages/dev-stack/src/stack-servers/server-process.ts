import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { OperatorError } from '../operator-error.ts';
import { identify, isRunning, type ProcessIdentity } from '../processes.ts';
import { factsOf, type ServerName } from './server-facts.ts';

/** A server that the daemon has started. */
export interface ServerProcess {
  identity: ProcessIdentity;
  /** Resolves when it has ended, for whatever reason. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** How to run a server program. */
export interface ServerCommand {
  server: ServerName;
  file: string;
  args: string[];
  log: string;
  cwd: string;
  env?: Record<string, string>;
  user?: { uid: number; gid: number } | undefined;
}

const MAX_LOG = 5 * 1024 * 1024;

/**
 * Starts a server in a session of its own, so that no terminal's Ctrl-C reaches it, with its output in the log.
 * Should this process be killed, a watch ends the server.
 */
export function startServerProcess(command: ServerCommand): ServerProcess {
  if ((statSync(command.log, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG)
    renameSync(command.log, `${command.log}.1`);
  const out = openSync(command.log, 'a', 0o600);
  let child: ChildProcess;
  try {
    child = spawn(command.file, command.args, {
      cwd: command.cwd,
      env: serverEnvironment(command.env),
      stdio: ['ignore', out, out],
      detached: true,
      ...command.user,
    });
  } finally {
    closeSync(out);
  }
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', () => resolve({ code: 127, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (!identity) throw startFailed(command, 'it ended at once');
  watchOver(identity, factsOf(command.server).ending.signal, ended);
  return { identity, ended };
}

/** Polls `ready` every 10 ms until it holds; rejects with the end of the log if the server ends or takes too long. */
export async function waitUntilReady(
  command: ServerCommand,
  server: ServerProcess,
  ready: () => Promise<boolean> | boolean,
): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await ready())) {
    if (!isRunning(server.identity)) throw startFailed(command, 'it ended while it was starting');
    if (Date.now() > deadline) throw startFailed(command, 'it does not answer after 60 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The last lines of a log file; empty if there is none. */
export function logTail(path: string, lines = 10): string {
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '';
}

function startFailed(command: ServerCommand, why: string): OperatorError {
  const tail = logTail(command.log);
  const full = /no space left on device/i.test(tail);
  const { title } = factsOf(command.server);
  return new OperatorError(
    `${title[0]?.toUpperCase()}${title.slice(1)} could not be started: ${why}. The last lines of ${command.log}:\n${tail}`,
    full ? 'Free some space on the disk and run it again.' : '`pnpm run doctor` checks programs and ports.',
  );
}

/** The daemon's environment without what would change how a server behaves. */
function serverEnvironment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(TEMPORAL_|SPICEDB_|PG|NODE_|npm_|LC_|LANG)/.test(name),
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C', ...extra };
}

/**
 * A shell that waits on a pipe from this process: the kernel closes it when this process dies, even by SIGKILL, and then
 * the shell ends the server. The record serves the next start if the shell is killed as well.
 */
function watchOver(server: ProcessIdentity, signal: string, ended: Promise<unknown>): void {
  const script = 'read -r _; kill -s "$1" "$2" && { sleep 4; kill -s KILL "$2"; }';
  const watch = spawn('/bin/sh', ['-c', script, 'server-watch', signal, String(server.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  watch.on('error', () => {});
  watch.stdin.on('error', () => {});
  watch.unref();
  void ended.then(() => watch.kill('SIGKILL'));
}
