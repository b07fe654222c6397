import { bundledProgram } from './bundled-program.ts';
import type { Child } from './children.ts';
import { OperatorError } from './operator-error.ts';
import type { ServerName } from './stack.ts';
import { explicitVariable, factsOf } from './stack-servers/server-facts.ts';
import type { Scenario } from './start.ts';
import type { Session } from './start-session.ts';
import { within } from './start-stopping.ts';

/**
 * What scenarios break things on, whatever the app: workers and servers. All that was broken is put right by `mend`,
 * which runs after each scenario (see {@link mended}), however it ended.
 */
export interface Stage {
  /** Those that are running. */
  workers: Child[];
  /** `program` in place of the app's own worker, for one that has a fault; its `args` come after those of the app's own. */
  startWorker(program?: string, options?: FaultyWorker): Promise<Child>;
  /** Lets them finish what they are doing; afterwards there is no worker. */
  stopWorkers(): Promise<void>;
  /** As in a crash. */
  killWorker(worker: Child): Promise<void>;
  /** Refuses (OperatorError), with nothing done, what this stack does not own. */
  takeDown(server: ServerName, how: 'stopServer' | 'killServer'): Promise<void>;
  /** Resolves when it serves again; does nothing if it is not down. */
  bringBack(server: ServerName): Promise<void>;
  /** What `mend` has to do as well; it has to be harmless if it was done before. */
  mendLater(mend: () => unknown): void;
  /** The same for a process: nothing is started while everything is being stopped. */
  mendProcess(start: () => Promise<unknown>): void;
  mend(): Promise<void>;
}

/** What another worker than the app's own takes, and says. It is called 'faulty worker' unless `called` says otherwise. */
export type FaultyWorker = { args?: string[]; called?: string; onMessage?: (message: unknown) => void };

/** How the workers of a {@link Stage} are started. */
export interface StageWorkers {
  /** The app's own worker. */
  program: string;
  args(): Promise<string[]>;
  /** On top of the session's; undefined takes one away. */
  env: Record<string, string | undefined>;
}

/** A stage without a worker yet. */
export function createStage(session: Session, { program, args, env }: StageWorkers): Stage {
  const { stack } = session;
  const mending: (() => unknown)[] = [];
  const mendLater = (mend: () => unknown) => void mending.push(mend);
  const mendProcess = (start: () => Promise<unknown>) => mendLater(() => session.signal.aborted || start());

  const workers: Child[] = [];
  let started = 0;
  const startWorker = async (file = program, faulty: FaultyWorker = {}) => {
    const { args: more = [], called = file === program ? 'worker' : 'faulty worker', ...options } = faulty;
    const name = `${called} ${++started}`;
    const [runnable, own] = await Promise.all([file === program ? bundledProgram(file) : file, args()]);
    const worker = await session.spawn({ name, file: runnable, args: [...own, ...more], env, ...options });
    workers.push(worker);
    return worker;
  };
  const mendWorkers = () => mendProcess(async () => workers.length > 0 || (await startWorker()));

  const down = new Set<ServerName>();
  const bringBack = async (server: ServerName) => {
    if (!down.has(server)) return;
    await stack.startServer(server);
    down.delete(server);
  };

  return {
    workers,
    startWorker,
    async stopWorkers() {
      mendWorkers();
      await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    },
    async killWorker(worker) {
      mendWorkers();
      const index = workers.indexOf(worker);
      if (index >= 0) workers.splice(index, 1);
      await worker.kill();
    },
    async takeDown(server, how) {
      // Others may be using it: once this session ends, nobody would bring it back.
      session.signal.throwIfAborted();
      if (stack.owns(server)) down.add(server);
      mendLater(() => bringBack(server));
      await stack[how](server);
    },
    bringBack,
    mendLater,
    mendProcess,
    async mend() {
      const failed: unknown[] = [];
      for (let one = mending.pop(); one; one = mending.pop()) {
        await (async (mend) => mend())(one).catch((error: unknown) => failed.push(error));
      }
      if (failed.length > 0) throw new AggregateError(failed, `Not everything could be mended: ${failed.join('; ')}`);
    },
  };
}

/** Shorter than the five minutes after which the menu is back: what was broken is mended before that. */
const timeLimitMs = 240_000;

/** The scenario, after which the next one finds everything as it was. */
export function mended<Context extends Pick<Stage, 'mend'>>(scenario: Scenario<Context>): Scenario<Context> {
  return {
    ...scenario,
    async run(context, session) {
      try {
        await within(timeLimitMs, scenario.run(context, session), `not at an end after ${timeLimitMs / 1000} s`);
      } catch (error) {
        // What went wrong first is what has to be told.
        await context.mend().catch((reason: Error) => session.print(`  ${reason.message}`));
        throw error;
      }
      await context.mend();
    },
  };
}

/**
 * To be called before anything is broken.
 * @throws OperatorError for a server that was set explicitly, and that others may use
 */
export function requireOwned({ stack }: Session, ...servers: ServerName[]): void {
  for (const server of servers) {
    if (stack.owns(server)) continue;
    const { title } = factsOf(server);
    const variable = explicitVariable(server) ?? 'its address';
    throw new OperatorError(
      `This scenario breaks ${title}, and ${variable} names one that this stack has not started.`,
      `Unset ${variable} to run it on servers of its own.`,
    );
  }
}
