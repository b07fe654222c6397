import { setMaxListeners } from 'node:events';
import { fileURLToPath } from 'node:url';
import { buildWorkflowBundle, connectClient, InvalidInputError } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { Command, InvalidArgumentError } from 'commander';
import { runEveryScenario } from './every-scenario.ts';
import { OperatorError } from './operator-error.ts';
import { runStart, type StartApp, type StartDefinition } from './start.ts';
import { within } from './start-stopping.ts';
import { withTemporal } from './with-temporal.ts';

/** What {@link appProgram} has to know of an app. */
export interface AppProgram<Context> extends Pick<StartApp<Context>, 'app' | 'needs'> {
  /** The name of the command: `trip`. */
  name: string;
  description: string;
  /** `import.meta.url` of the app's src/extras/cli.ts. */
  cli: string;
  /** Imports what `start` and `worker` run; a command that loads the whole app takes a second longer to begin. */
  load(): Promise<{ start: StartDefinition<Context>; worker: StartDefinition<Context> }>;
}

/**
 * An app's program of commands, with those that every app has: start, worker, e2e and build. What was typed wrongly is
 * bad input: exit code 2. Run it with `runProgram(async () => void (await program.parseAsync()))`.
 */
export function appProgram<Context>({ name, description, cli, load, ...app }: AppProgram<Context>): Command {
  const start: StartApp<Context> = { ...app, load: async () => (await load()).start };
  const worker: StartApp<Context> = { ...app, load: async () => (await load()).worker };
  const program = new Command(name)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .description(description);

  program
    .command('start', { isDefault: true })
    .description('brings up everything this app needs and shows it; a scenario by its name, or from a menu')
    .argument('[scenario]')
    .option('--once', 'one scenario and out, as without a terminal; exit code 0 only if its promise is kept')
    .option('--verbose', 'show what all the programs write')
    .action(async (scenario, options) => {
      // A mistyped command arrives here as well, because `start` is the one that may be left out.
      if (scenario !== undefined && !program.args.includes('start')) await refuseUnlessScenario(scenario);
      return runStart(start, { scenario, ...options });
    });

  program
    .command('worker')
    .description('the worker and what it needs, until Ctrl-C')
    .option('--verbose', 'show what all the programs write')
    .action((options) => runStart(worker, { once: true, ...options }));

  program
    .command('e2e')
    .description('every scenario with --once; the report goes to reports/e2e.json')
    .action(() => runEveryScenario(start, fileURLToPath(cli)));

  program
    .command('build')
    .description('the workflow bundle, dist/workflows.js, which the worker takes by --bundle')
    .action(async () => {
      await buildWorkflowBundle(new URL('../workflows.ts', cli));
    });

  async function refuseUnlessScenario(typed: string): Promise<void> {
    const { scenarios } = await start.load();
    if (scenarios.some((one) => one.name === typed)) return;
    const commands = program.commands.map((command) => command.name()).join(', ');
    throw new InvalidInputError([{ field: 'command', message: `${typed} is none of ${commands}` }]);
  }

  return program;
}

/**
 * Runs a command with a client of the Temporal that `TEMPORAL_ADDRESS` names, or else of this clone's stack.
 * @throws OperatorError if Temporal does not answer, or takes no update because the workflow's worker fails
 */
export function withClient(command: (client: Client) => Promise<void>): Promise<void> {
  return withTemporal(async () => {
    const client = await connectClient();
    try {
      await command(client);
    } catch (cause) {
      throw explained(cause);
    } finally {
      await client.connection.close();
    }
  });
}

const again = 'Then run this again: it does nothing twice.';

/** What an operator can mend of what a call failed of, with the next step; any other error as it is. */
export function explained(error: unknown): unknown {
  const [cancelled, deadlineExceeded, failedPrecondition, unavailable] = [1, 4, 9, 14];
  for (let one = error; one instanceof Error; one = one.cause) {
    const code = 'code' in one ? (one.code as number) : 0;
    if ([cancelled, deadlineExceeded, unavailable].includes(code)) {
      return new OperatorError('Temporal does not answer.', `Is it up? ${again}`, { cause: error });
    }
    // A worker that died in the middle of a task, or one with a bug: Temporal takes no updates until a task succeeds.
    if (code === failedPrecondition && /workflow task in failed state/i.test(one.message)) {
      const message = 'The workflow cannot answer: its last task has failed.';
      return new OperatorError(message, `Is its worker well? The Web UI shows the failure. ${again}`, { cause: error });
    }
  }
  return error;
}

/** Prints a result for people, or as one line of JSON. */
export function print<Value>(json: boolean | undefined, value: Value, inWords: (value: Value) => string): void {
  console.log(json ? JSON.stringify(value) : inWords(value));
}

/** The result; undefined after Ctrl-C or SIGTERM, and then nobody hears any more how the work ends. */
export async function unlessStopped<Result>(work: Promise<Result>): Promise<Result | undefined> {
  work.catch(() => {});
  let stop = () => {};
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  process.once('SIGINT', stop).once('SIGTERM', stop);
  return Promise.race([work, stopped]).finally(() => process.off('SIGINT', stop).off('SIGTERM', stop));
}

/**
 * The result of calls of a client; undefined after Ctrl-C or SIGTERM. A call that is still waiting then is given up: it
 * would break when the connection is closed. What does not end even so is left behind after two seconds.
 */
export async function untilStopped<Result>(client: Client, work: () => Promise<Result>): Promise<Result | undefined> {
  const abort = new AbortController();
  // Each call of the client listens, and keeps listening after its end.
  setMaxListeners(0, abort.signal);
  // Not before it can be stopped: what it says may be somebody's cue to do so.
  const working = client.withAbortSignal(abort.signal, () => Promise.resolve().then(work));
  const result = await unlessStopped(working);
  if (result !== undefined) return result;
  abort.abort();
  // The client does not give up a call that is begun after this moment.
  await within(2_000, working).catch(() => {});
  return undefined;
}

/** Says `hint` after three seconds of waiting: maybe nobody is there to do the work. */
export function hinting<Result>(work: Promise<Result>, hint: string): Promise<Result> {
  const timer = setTimeout(() => console.error(hint), 3_000);
  return work.finally(() => clearTimeout(timer));
}

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The milliseconds of `30s`, `15m`, `2h` or `1d`. @throws InvalidInputError that names the field */
export function milliseconds(field: string, text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined) {
    throw new InvalidInputError([{ field, message: 'must be a duration, as 30s, 15m, 2h or 1d' }]);
  }
  return Number(count) * units[unit as keyof typeof units];
}

/** For commander: a whole number. */
export function wholeNumber(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}
