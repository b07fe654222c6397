import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperatorError } from '../operator-error.ts';
import { heartbeat, type Progress } from '../progress.ts';
import type { BuildCommand, ProgramDefinition } from './definition.ts';
import { findOnPath } from './on-path.ts';

/** The tools this build needs and does not find. */
export function missingTools(definition: ProgramDefinition, env: NodeJS.ProcessEnv): string[] {
  return (definition.build?.tools ?? [])
    .filter((tool) => !findOnPath(tool.command, env))
    .map((tool) => `${tool.command} (${tool.install})`);
}

/**
 * Builds into the folder `output`, with the tools' output in the file `log`.
 * An interruption (SIGINT, SIGTERM, SIGHUP) kills the build, calls `discard` and ends this process as the signal would.
 * @throws OperatorError with the end of the log when a command fails
 */
export async function build(
  definition: ProgramDefinition,
  options: { output: string; log: string; env: NodeJS.ProcessEnv; progress: Progress; discard: () => void },
): Promise<void> {
  const { output, log, env, progress, discard } = options;
  if (!definition.build) throw new Error(`${definition.name} is not built`);
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  mkdirSync(dirname(log), { recursive: true });
  progress(definition.build.announcement);
  const quiet = heartbeat(progress, definition.build.announcement.split(',')[0] ?? definition.name);
  const out = openSync(log, 'w');
  try {
    for (const command of definition.build.commands(output)) {
      const failure = await runCommand(command, out, env, discard);
      if (failure) throw buildFailed(definition.title, failure, log);
    }
  } finally {
    quiet();
    closeSync(out);
  }
}

/** Runs one command in a process group of its own; resolves with how it failed, or undefined. */
function runCommand(
  { command, args, cwd, env: extra }: BuildCommand,
  out: number,
  env: NodeJS.ProcessEnv,
  discard: () => void,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let child: ChildProcess | undefined;
    let interrupted = false;
    const interrupt = (signal: NodeJS.Signals) => {
      interrupted = true;
      killGroup(child?.pid);
      discard();
      stopListening();
      process.kill(process.pid, signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const onExit = () => killGroup(child?.pid);
    const stopListening = () => {
      for (const signal of signals) process.off(signal, interrupt);
      process.off('exit', onExit);
    };
    // Before the build runs: a signal in between would end this process and leave the build and its folder.
    for (const signal of signals) process.on(signal, interrupt);
    process.on('exit', onExit);
    // The group makes one kill reach the compilers that the build tool starts.
    child = spawn(command, args, {
      cwd,
      env: { ...env, ...extra },
      stdio: ['ignore', out, out],
      detached: true,
    });
    child.once('error', (error) => {
      stopListening();
      resolve(error.message);
    });
    child.once('close', (code, signal) => {
      stopListening();
      if (interrupted) reject(new OperatorError('The build was interrupted.', 'Run it again.'));
      else resolve(code === 0 ? undefined : `${command} ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

function buildFailed(title: string, failure: string, log: string): OperatorError {
  const text = readFileSync(log, 'utf8').trimEnd();
  const end = text.split('\n').slice(-12).join('\n');
  if (/no space left on device/i.test(text)) {
    return new OperatorError(`No space left on the disk while building ${title}.`, `Free some space (log: ${log}).`);
  }
  const offline = /dial tcp|no such host|could not transfer artifact|connection refused|unknown host/i.test(text);
  return new OperatorError(
    `Building ${title} failed: ${failure}. The last lines of ${log}:\n${end}`,
    offline
      ? 'It looks like a network problem: the sources come from the Go module proxy or Maven Central. Check the network and run it again.'
      : 'Read the log; then run it again.',
  );
}
