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
  const message = error instanceof Error ? error.message || error.name : String(error);
  return [message, `What the programs wrote: ${shortPath(logFolder)} (--verbose shows it at once)`];
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

function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.length < path.length ? fromHere : path;
}
