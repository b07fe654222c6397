import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

/**
 * What a child sends once it can be used: `process.send({ ready: true })` or `process.send({ listening: port })`.
 * It listens for SIGTERM before that: whoever hears it may stop it at once.
 */
export type ReadyMessage = { ready?: true; listening?: number } & Record<string, unknown>;

/** How a process ended: one of the two is null. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A program to start as a child. */
export interface ChildOptions {
  /** How people call it: 'worker', 'hotel service'. */
  name: string;
  /** Its .ts file (tsx is looked for from there upwards, as the program's own imports are), or a .mjs file. */
  file: string;
  args?: readonly string[];
  /** Added to this process's environment; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  /** All its output is appended here. */
  logFile: string;
  /** Receives each line of output as well. */
  onLine?: (line: string) => void;
  /** Receives each IPC message after the one that said ready. */
  onMessage?: (message: unknown) => void;
  /** Which message says ready. Default: the first of either kind. */
  ready?: 'ready' | 'listening';
  /** Default: 60 000 ms; a first start on a busy machine has to translate and bundle. */
  readyTimeoutMs?: number;
  /** Aborted while it is not ready yet: it is killed, and spawnChild rejects. */
  signal?: AbortSignal;
  /** It ended after it was ready, and nobody had asked for it. */
  onUnexpectedExit?: (exit: Exit, lastLines: readonly string[]) => void;
}

/** A running child program. */
export interface Child {
  name: string;
  pid: number;
  /** What it said when it was ready. */
  message: ReadyMessage;
  exited: Promise<Exit>;
  send(message: object): void;
  /** SIGTERM, and SIGKILL if it still runs after `timeoutMs` (default 10 000). Safe to call again, and when it is gone. */
  stop(options?: { timeoutMs?: number }): Promise<Exit>;
  /** SIGKILL: it cannot clean up, as in a crash. */
  kill(): Promise<Exit>;
  /** SIGSTOP: it is there, and does nothing. */
  freeze(): void;
  /** SIGCONT: undoes freeze. */
  thaw(): void;
}

const keptLines = 20;

/** The process groups of the children that run. */
const running = new Set<number>();

/** SIGKILL to all children at once, for those who cannot wait; this process's own exit does the same. */
export function killChildren(): void {
  for (const pid of running) signalTo(-pid, 'SIGKILL');
}

/**
 * Starts a TypeScript program and resolves when it says that it is ready; rejects with its last lines of output if it
 * ends before that. It gets a session of its own, so a Ctrl-C at the terminal does not reach it: whoever started it
 * stops it, in the right order. It cannot outlive this process, whatever ends it.
 */
export async function spawnChild(options: ChildOptions): Promise<Child> {
  const { name } = options;
  options.signal?.throwIfAborted();
  const runner = options.file.endsWith('.ts') ? ['--import', tsxFor(options.file)] : ['--enable-source-maps'];
  const child = spawn(process.execPath, [...runner, options.file, ...(options.args ?? [])], {
    detached: true,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const lastLines = collectOutput(child, options);
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => {});
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const { pid } = child;
  if (pid === undefined) return failed;
  const releaseWatch = watchOver(pid);
  if (running.size === 0) process.on('exit', killChildren);
  running.add(pid);
  // Once it is gone, its number may be another's.
  const signal = (target: number, name: NodeJS.Signals) => void (running.has(pid) && signalTo(target, name));
  const killGroup = () => signal(-pid, 'SIGKILL');
  void exited.then(() => {
    // What the program itself started goes with it (tsx's esbuild, for one).
    killGroup();
    running.delete(pid);
    if (running.size === 0) process.removeListener('exit', killChildren);
    releaseWatch();
  });
  let expected = false;
  const kill = () => {
    expected = true;
    killGroup();
    return exited;
  };
  let message: ReadyMessage;
  try {
    message = await readyMessage(child, options, exited, lastLines);
  } catch (error) {
    await kill();
    throw error;
  }
  if (options.onMessage) child.on('message', options.onMessage);
  child.on('error', () => {}); // A message to a child that has just died; its exit says so.
  void exited.then((exit) => {
    if (!expected) options.onUnexpectedExit?.(exit, lastLines);
  });
  return {
    name,
    pid,
    message,
    exited,
    send: (sent) => void (child.connected && child.send(sent)),
    stop: async ({ timeoutMs = 10_000 } = {}) => {
      expected = true;
      signal(pid, 'SIGTERM');
      signal(-pid, 'SIGCONT'); // A frozen program acts on no other signal.
      const timer = setTimeout(killGroup, timeoutMs);
      return exited.finally(() => clearTimeout(timer));
    },
    kill,
    freeze: () => signal(-pid, 'SIGSTOP'),
    thaw: () => signal(-pid, 'SIGCONT'),
  };
}

/**
 * For the programs that {@link spawnChild} starts: ends this process when the one that started it is gone, which
 * closes the channel between them. Does nothing for a program started by hand.
 */
export function exitWithParent(): void {
  if (!process.send) return;
  if (!process.connected) process.exit(1);
  process.on('disconnect', () => process.exit(1));
  // To listen must not keep a program alive that has nothing else to do.
  process.channel?.unref();
}

function tsxFor(file: string): string {
  return pathToFileURL(createRequire(file).resolve('tsx/esm')).href;
}

/**
 * Kills a process group once this process is gone, however it ended. A program that is frozen, or busy in a loop,
 * does not notice that the channel to its parent has closed; a shell that waits for the end of its input does.
 * @returns a function that sends the watch home
 */
function watchOver(pid: number): () => void {
  if (process.platform === 'win32') return () => {};
  const watch = spawn('/bin/sh', ['-c', `read -r line || kill -KILL -${pid}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watch.on('error', () => {});
  watch.stdin.on('error', () => {});
  watch.unref();
  return () => watch.stdin.end('\n');
}

function collectOutput(child: ChildProcess, options: ChildOptions): readonly string[] {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = createWriteStream(options.logFile, { flags: 'a' });
  log.on('error', () => {}); // A full disk must not end the program that is being watched.
  const lastLines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    const line = (text: string) => {
      lastLines.push(stripVTControlCharacters(text));
      if (lastLines.length > keptLines) lastLines.shift();
      options.onLine?.(text);
    };
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      log.write(chunk);
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(line);
    });
    stream?.on('end', () => rest && line(rest));
  }
  child.once('close', () => log.end());
  return lastLines;
}

async function readyMessage(
  child: ChildProcess,
  { name, ready, readyTimeoutMs = 60_000, logFile, signal }: ChildOptions,
  exited: Promise<Exit>,
  lastLines: readonly string[],
): Promise<ReadyMessage> {
  const said = new Promise<ReadyMessage>((resolve) => {
    child.on('message', function listen(message: ReadyMessage) {
      const is = { ready: message?.ready === true, listening: typeof message?.listening === 'number' };
      if (!(ready ? is[ready] : is.ready || is.listening)) return;
      child.removeListener('message', listen);
      resolve(message);
    });
  });
  const over = new AbortController();
  const late = pause(readyTimeoutMs, `was not ready after ${readyTimeoutMs / 1000} s`, { signal: over.signal });
  const aborted = new Promise<string>((resolve) => {
    const abort = () => resolve('is not needed any more');
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { signal: over.signal });
  });
  const ended = exited.then(async (exit) => {
    // What it wrote last may arrive after its end.
    await Promise.race([new Promise((resolve) => child.once('close', resolve)), pause(500)]);
    return `ended before it was ready (${exitWords(exit)})`;
  });
  const outcome = await Promise.race([said, late, ended, aborted]).finally(() => over.abort());
  if (typeof outcome !== 'string') return outcome;
  const output = lastLines.length > 0 ? `:\n${lastLines.map((line) => `  ${line}`).join('\n')}` : '; it wrote nothing.';
  throw new Error(`${name} ${outcome}${output}\nIts log: ${logFile}`);
}

/** `exit code 3`, `SIGKILL`. */
export function exitWords({ code, signal }: Exit): string {
  return signal ?? `exit code ${code}`;
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, which is what most callers want; the exit event says so.
  }
}
