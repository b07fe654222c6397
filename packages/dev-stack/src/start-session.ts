import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { type Child, type ChildOptions, exitWords, spawnChild } from './children.ts';
import type { Stack } from './stack.ts';
import type { CleanUp } from './start-stopping.ts';

/** One run of `start`: its own names, children, log folder and clean-up. */
export interface Session {
  app: string;
  /** Belongs to this start alone, so that two of them never serve each other. */
  suffix: string;
  /** `<app>-<suffix>` */
  taskQueue: string;
  stack: Stack;
  /**
   * What {@link spawn} gives to each child on top of this process's environment: TEMPORAL_ADDRESS and
   * TEMPORAL_NAMESPACE of the stack, and SPICEDB_ENDPOINT and SPICEDB_TOKEN if it has one. An app adds its own, such as the DATABASE_URL of its database.
   */
  env: Record<string, string>;
  verbose: boolean;
  /** Each child's output is in `<name>.log` there. */
  logFolder: string;
  /** Aborted when the program is to end: by Ctrl-C, or because something it needs is gone. */
  signal: AbortSignal;
  print(line: string): void;
  /** `<prefix>-<suffix>-<n>`: fresh at each call, so that a scenario may be run again. */
  newId(prefix: string): string;
  /** Runs at the end, newest first. `what` completes 'could not …': 'close the connection'. */
  onCleanUp(what: string, undo: () => unknown): void;
  /**
   * {@link spawnChild} with this session's environment and log folder. The child is stopped at the end, in the reverse
   * order of starting. If it ends unasked, so does the session, unless `onUnexpectedExit` says otherwise.
   */
  spawn(options: Omit<ChildOptions, 'logFile' | 'signal'>): Promise<Child>;
}

/** What a session is made of. */
export interface SessionParts {
  app: string;
  suffix: string;
  stack: Stack;
  verbose: boolean;
  logFolder: string;
  print: (line: string) => void;
  cleanUp: CleanUp;
  signal: AbortSignal;
  /** Ends the session for this reason. */
  fail: (reason: Error) => void;
}

/** Letters and digits that cannot be taken for one another: 'k3f9'. */
export function newSuffix(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
  return Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('');
}

/** A session over a joined stack. */
export function createSession(parts: SessionParts): Session {
  const { app, suffix, stack, verbose, logFolder, print, cleanUp, signal, fail } = parts;
  const env: Record<string, string> = {};
  if (stack.temporal) {
    env.TEMPORAL_ADDRESS = stack.temporal.address;
    env.TEMPORAL_NAMESPACE = stack.temporal.namespace;
  }
  if (stack.spicedb) {
    env.SPICEDB_ENDPOINT = stack.spicedb.endpoint;
    env.SPICEDB_TOKEN = stack.spicedb.token;
  }
  let ids = 0;
  return {
    app,
    suffix,
    taskQueue: `${app}-${suffix}`,
    stack,
    env,
    verbose,
    logFolder,
    signal,
    print,
    newId: (prefix) => `${prefix}-${suffix}-${++ids}`,
    onCleanUp: (what, undo) => cleanUp.add(what, undo),
    async spawn(options) {
      const logFile = join(logFolder, `${options.name.replace(/[^\w-]+/g, '-')}.log`);
      const child = await spawnChild({
        onUnexpectedExit: (exit, lastLines) => {
          const output = lastLines.map((line) => `\n  ${line}`).join('');
          fail(
            new Error(
              `${options.name} ended unexpectedly (${exitWords(exit)})${output && `:${output}`}\nIts log: ${logFile}`,
            ),
          );
        },
        ...options,
        env: { ...env, ...options.env },
        onLine: (line) => {
          if (verbose) print(`[${options.name}] ${line}`);
          options.onLine?.(line);
        },
        logFile,
        signal,
      });
      cleanUp.add(`stop ${options.name}`, () => child.stop());
      return child;
    },
  };
}
