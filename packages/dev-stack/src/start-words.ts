import { relative } from 'node:path';
import { inspect } from 'node:util';
import pc from 'picocolors';
import { OperatorError } from './operator-error.ts';
import type { Session } from './start-session.ts';
import { wantsColors } from './step-lines.ts';

/** Whose run this is, and where it can be looked at. */
export function heading(title: string, { suffix, stack, logFolder }: Session): string[] {
  const { bold } = pc.createColors(wantsColors());
  return [
    '',
    `${bold(title)}  (this run: ${suffix})`,
    ...(stack.temporal?.uiUrl ? [`  Temporal UI  ${stack.temporal.uiUrl}`] : []),
    `  Logs         ${shortPath(logFolder)}`,
  ];
}

/** What a person needs of an error; a stack only if asked for. */
export function errorLines(error: unknown, verbose: boolean, logFolder: string): string[] {
  if (error instanceof OperatorError) return [error.message, error.nextStep];
  if (verbose) return [inspect(error)];
  return [messages(error).join(': '), `What the programs wrote: ${shortPath(logFolder)} (--verbose shows it at once)`];
}

/** Temporal's own errors say only that something failed; what failed, and of what, is in their causes. */
function messages(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const { cause } = error;
  const [own, more] = [error.message || error.name, cause === undefined ? [] : messages(cause)];
  // Some repeat what their cause says.
  return more[0] !== undefined && own.includes(more[0]) ? [own, ...more.slice(1)] : [own, ...more];
}

/** The reason to end when the process that owns the servers is gone. */
export function lost(): Error {
  return new OperatorError(
    'The servers are gone, and nobody here has stopped them.',
    'Run it again: they are started anew.',
  );
}

/** A value beside its label, continued below itself. */
export function shown(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 100 }).replace(/\n/g, '\n            ');
}

/** From where the user stands: a package manager runs the program in the folder of its app. */
function shortPath(path: string): string {
  const fromHere = relative(process.env.INIT_CWD ?? process.cwd(), path);
  return fromHere.length < path.length ? fromHere : path;
}
