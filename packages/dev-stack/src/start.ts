import { join } from 'node:path';
import pc from 'picocolors';
import { killChildren } from './children.ts';
import { OperatorError } from './operator-error.ts';
import { dataRoot } from './paths.ts';
import { type Progress, terminalProgress } from './progress.ts';
import { type JoinOptions, joinStack, type ServerName, type Stack } from './stack.ts';
import { ignoreTemporalProfile } from './start-environment.ts';
import { newLogFolder } from './start-logs.ts';
import { chosen, Keyboard, menuLines } from './start-menu.ts';
import { createSession, newSuffix, type Session } from './start-session.ts';
import { CleanUp, Interrupted, listenForSignals, unlessAborted, within } from './start-stopping.ts';
import { errorLines, heading, lost, shown } from './start-words.ts';
import { durationWords, wantsColors } from './step-lines.ts';

/** Something to show: it breaks real things, and promises how it ends all the same. */
export interface Scenario<Context> {
  /** As it is typed after `start`: kebab-case. */
  name: string;
  title: string;
  /** The ending, in one sentence. */
  promises: string;
  /** Default: 5 minutes. What takes longer has broken its promise. Infinity: it may take for ever. */
  timeLimitMs?: number;
  /** @throws {BrokenPromise} (or any error) if the ending is not the one promised */
  run(context: Context, session: Session): Promise<void>;
}

/** A scenario did not end as it promised. */
export class BrokenPromise extends Error {
  readonly expected: unknown;
  readonly actual: unknown;

  constructor(message: string, expected: unknown, actual: unknown) {
    super(message);
    this.name = 'BrokenPromise';
    this.expected = expected;
    this.actual = actual;
  }
}

/** What an app tells {@link runStart} about itself. */
export interface StartDefinition<Context> {
  title: string;
  scenarios: readonly Scenario<Context>[];
  defaultScenario: string;
  /** Starts services and worker (`session.spawn`); what it starts is stopped in reverse order. */
  setUp(session: Session): Promise<Context>;
  /** Says what can be looked at, once a scenario has ended and the menu is about to appear. */
  afterwards?(context: Context, session: Session): unknown;
}

/** What {@link runStart} has to know of an app at once. */
export interface StartApp<Context> {
  app: string;
  /** The servers to join; set explicitly in the environment, they are used as they are. */
  needs: ServerName[];
  /** Imports the rest. The servers are starting meanwhile, which takes about as long. */
  load(): Promise<StartDefinition<Context>>;
}

/** What was typed after `start`. */
export interface StartOptions {
  scenario?: string | undefined;
  /** One scenario and out, with an exit code that says whether the promise was kept. Also without a terminal. */
  once?: boolean | undefined;
  verbose?: boolean | undefined;
}

/** What {@link runStart} touches outside; a test puts its own in place. */
export interface StartWorld {
  /** Default: {@link joinStack}. */
  join?: (options: JoinOptions) => Promise<Stack>;
  /** Default: the stack's own, `.data/<stack>`. */
  dataFolder?: string;
  print?: (line: string) => void;
  input?: NodeJS.ReadableStream;
  interactive?: boolean;
  exit?: (code: number) => void;
}

/** How long leaving may take after the second Ctrl-C; the servers' own watch does what is left. */
const abandonMs = 2000;

/**
 * Everything that `start` does around an app's own subject: joins the stack, sets the app up, runs the scenario, says
 * whether its promise was kept, stays with a menu if there is somebody, and stops everything in the right order,
 * however it ends. Ends the process: 0 promise kept, 1 broken or an error, 2 no such scenario, 130, 143 or 129 after
 * Ctrl-C, SIGTERM or SIGHUP.
 */
export async function runStart<Context>(
  app: StartApp<Context>,
  options: StartOptions,
  world: StartWorld = {},
): Promise<void> {
  const exit = world.exit ?? ((code) => process.exit(code));
  const print = world.print ?? ((line) => void process.stdout.write(`${line}\n`));
  // Whoever read the output is gone (a closed terminal, `| head`): that must not cut the clean-up short.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const onProgress = world.print ?? terminalProgress();
  exit(await runInStack(app, options, { ...world, print, exit, onProgress }));
}

async function runInStack<Context>(
  app: StartApp<Context>,
  { scenario: name, once = false, verbose = false }: StartOptions,
  world: StartWorld & Required<Pick<StartWorld, 'print' | 'exit'>> & { onProgress: Progress },
): Promise<number> {
  const { print } = world;
  const suffix = newSuffix();
  const dataFolder = world.dataFolder ?? join(dataRoot, 'main');
  const logFolder = newLogFolder(dataFolder, app.app, suffix);
  const cleanUp = new CleanUp();
  const ended = new AbortController();
  const { signal } = ended;
  // After the first reason, further errors only follow from it.
  const fail = (reason: Error) => ended.abort(reason);
  let leave: () => Promise<void> = async () => {};

  const deaf = listenForSignals(
    (reason) => {
      const ctrlC = reason.message === 'SIGINT';
      print(`${ctrlC ? 'Ctrl-C' : reason.message}: stopping; the worker finishes its work first.`);
      if (ctrlC) print('Ctrl-C again stops everything at once.');
      fail(reason);
    },
    async (reason) => {
      print('Stopping at once.');
      killChildren();
      await within(abandonMs, leave()).catch(() => {});
      world.exit(reason.exitCode);
    },
  );
  process.on('uncaughtException', fail);
  try {
    const ignored = ignoreTemporalProfile(dataFolder);
    if (ignored.length > 0) {
      print(`Ignored: ${ignored.join(', ')}. To use another server than this stack's, set TEMPORAL_ADDRESS.`);
    }
    const loading = app.load();
    // A name may be wrong, and then nothing is to be started.
    const { scenarios } = name === undefined ? { scenarios: [] } : await unlessAborted(signal, loading);
    if (name !== undefined && !scenarios.some((one) => one.name === name)) {
      print(`There is no scenario "${name}". There are:`);
      for (const one of scenarios) print(`  ${one.name}: ${one.title}`);
      return 2;
    }
    const { onProgress } = world;
    const joining = (world.join ?? joinStack)({ need: app.needs, onProgress });
    let leaving: Promise<void> | undefined;
    // Also for a stack that is joined only after the first Ctrl-C. One that could not be joined holds no lease.
    leave = () =>
      (leaving ??= joining.then(
        (stack) => stack.leave(),
        () => {},
      ));
    cleanUp.add('leave the stack', leave);
    const [definition, stack] = await unlessAborted(signal, Promise.all([loading, joining]));
    const first = definition.scenarios.find((one) => one.name === (name ?? definition.defaultScenario));
    if (!first) throw new Error(`The default scenario ${definition.defaultScenario} is missing.`);
    stack.onLost(() => fail(lost()));
    const session = createSession({
      app: app.app,
      suffix,
      stack,
      verbose,
      logFolder,
      print,
      cleanUp,
      signal,
      fail,
    });
    const context = await unlessAborted(signal, definition.setUp(session));
    for (const line of heading(definition.title, session)) print(line);
    const kept = await play(first, context, session);
    if (once || !(world.interactive ?? (process.stdin.isTTY && process.stdout.isTTY))) return kept ? 0 : 1;
    return (await stay(definition, context, session, world.input ?? process.stdin, cleanUp)) && kept ? 0 : 1;
  } catch (error) {
    const reason: unknown = signal.aborted ? signal.reason : error;
    // Whatever waits for the session's end is to know before its ground is taken away.
    fail(reason instanceof Error ? reason : new Error(String(reason)));
    if (reason instanceof Interrupted) return reason.exitCode;
    for (const line of errorLines(reason, verbose, logFolder)) print(line);
    return 1;
  } finally {
    fail(new Error('the session has ended'));
    await cleanUp.run((what, error) => print(`Could not ${what}: ${error instanceof Error ? error.message : error}`));
    if (signal.reason instanceof Interrupted) print('Stopped.');
    process.removeListener('uncaughtException', fail);
    deaf();
  }
}

/** Scenarios, one after another, for as long as somebody asks for them; false if one of them broke its promise. */
async function stay<Context>(
  { scenarios, afterwards }: StartDefinition<Context>,
  context: Context,
  session: Session,
  input: NodeJS.ReadableStream,
  cleanUp: CleanUp,
): Promise<boolean> {
  const keyboard = new Keyboard(input);
  cleanUp.add('close the keyboard', () => keyboard.close());
  let kept = true;
  for (;;) {
    await unlessAborted(session.signal, Promise.resolve(afterwards?.(context, session)));
    for (const line of menuLines(scenarios)) session.print(line);
    let choice: ReturnType<typeof chosen<Scenario<Context>>>;
    while (!choice) {
      const answer = await keyboard.ask(session.signal);
      if (answer === undefined) return kept;
      choice = chosen(scenarios, answer);
      if (!choice && answer) session.print(`"${answer}" is none of them: a number, a name, or q.`);
    }
    if (choice === 'quit') return kept;
    kept = (await play(choice, context, session)) && kept;
  }
}

async function play<Context>(scenario: Scenario<Context>, context: Context, session: Session): Promise<boolean> {
  const { bold, green, red } = pc.createColors(wantsColors());
  session.print('');
  session.print(bold(`▶ ${scenario.title}`));
  const startedAt = performance.now();
  const taken = () => `(${durationWords(performance.now() - startedAt)})`;
  try {
    const limitMs = scenario.timeLimitMs ?? 300_000;
    const late = `not at an end after ${durationWords(limitMs)}`;
    const running = scenario.run(context, session);
    await unlessAborted(session.signal, limitMs === Infinity ? running : within(limitMs, running, late));
    session.print(green(`✓ promised: ${scenario.promises}  ${taken()}`));
    return true;
  } catch (error) {
    if (session.signal.aborted || error instanceof OperatorError) throw error;
    session.print(red(`✗ broken promise: ${scenario.promises}  ${taken()}`));
    if (error instanceof BrokenPromise) {
      session.print(`  ${error.message}`);
      session.print(`  expected  ${shown(error.expected)}`);
      session.print(`  actual    ${shown(error.actual)}`);
    } else {
      for (const line of errorLines(error, session.verbose, session.logFolder)) session.print(`  ${line}`);
    }
    return false;
  }
}
