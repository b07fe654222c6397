import { milliseconds, withClient } from '@repo/dev-stack/commands';
import { connectWorker, InvalidInputError, runUntilStopped, taskQueue } from '@repo/worker-kit';
import { commandOn } from '@repo/worker-kit/lookup';
import type { Client } from '@temporalio/client';
import type { Look, TurnInput } from './turn.ts';

/** An app's reconciler, for its schedule. */
export interface Reconciler<More extends object = object> {
  /** The command as it is typed, up to its options. */
  command: string;
  /** What the app's workers serve unless `TASK_QUEUE` says otherwise. */
  defaultTaskQueue: string;
  /**
   * Opens the stores for as long as `use` runs.
   * @throws OperatorError if they are not there
   */
  withStores<Result>(use: (look: Look<More>) => Promise<Result>): Promise<Result>;
}

/** As the command line gives them: `addScheduleOptions`, and two that each app describes in its own words. */
export interface ReconcileOptions {
  grace: string;
  json?: boolean;
  every?: string;
  stop?: boolean;
  serve?: boolean;
}

/** What `reconcile` does in one app. */
export interface Reconcile<More extends object> {
  reconciler: Reconciler<More>;
  options: ReconcileOptions;
  /** Options of the app's own, checked, for the turns of the schedule. */
  more: More;
  /** One turn here and now; sets the exit code. */
  once(client: Client, graceMs: number): Promise<void>;
}

/**
 * The command `reconcile`: one turn, the schedule of it, or the worker for that. What is wrong with its options is said
 * before anything else.
 * @throws InvalidInputError for a duration that cannot be read
 */
export function runReconcile<More extends object>({ reconciler, options, more, once }: Reconcile<More>): Promise<void> {
  const { grace, every, stop, serve } = options;
  const graceMs = milliseconds('grace', grace);
  const everyMs = every === undefined ? undefined : interval(every);
  return withClient(async (client) => {
    if (stop) return end(client, reconciler, options);
    if (everyMs !== undefined) await begin(client, reconciler, options, everyMs, { ...more, graceMs });
    if (serve) return serveTurns(client, reconciler, options);
    if (everyMs === undefined) return once(client, graceMs);
  });
}

function interval(text: string): number {
  const everyMs = milliseconds('every', text);
  if (everyMs < 1_000) throw new InvalidInputError([{ field: 'every', message: 'must be at least 1s' }]);
  return everyMs;
}

/**
 * What schedule, turns and task queue are called. The queue is beside the app's own: who runs its workflows need not be able
 * to put them right.
 */
const nameOf = (reconciler: Pick<Reconciler, 'defaultTaskQueue'>) =>
  `${taskQueue(reconciler.defaultTaskQueue)}-reconciler`;

async function begin(
  client: Client,
  reconciler: Pick<Reconciler, 'command' | 'defaultTaskQueue'>,
  { json, every, serve }: ReconcileOptions,
  everyMs: number,
  input: TurnInput,
): Promise<void> {
  const { schedule } = await import('./schedule.ts');
  const scheduleId = nameOf(reconciler);
  const done = await schedule(client, scheduleId, everyMs, input);
  if (json) return console.log(JSON.stringify({ scheduleId, done, everyMs, ...input, taskQueue: scheduleId }));
  const { command, defaultTaskQueue } = reconciler;
  const worker = commandOn(`${command} --serve`, defaultTaskQueue)(taskQueue(defaultTaskQueue));
  console.log(`Schedule ${scheduleId} is ${done}: every ${every}, on a task queue of the same name.`);
  if (!serve) console.log(`Its worker: ${worker}`);
  // `Status` is a keyword of SQL, hence the backticks.
  const query = `TaskQueue = "${scheduleId}" AND \`Status\` = "needs-attention"`;
  console.log(`Turns that found something for a person: pnpm temporal workflow list --query '${query}'`);
}

async function end(
  client: Client,
  reconciler: Pick<Reconciler, 'defaultTaskQueue'>,
  { json }: ReconcileOptions,
): Promise<void> {
  const { unschedule } = await import('./schedule.ts');
  const scheduleId = nameOf(reconciler);
  const ended = await unschedule(client, scheduleId);
  console.log(json ? JSON.stringify({ ended }) : `Schedule ${scheduleId} ${ended ? 'is deleted' : 'is not there'}.`);
}

/** The worker of the schedule, until Ctrl-C. */
function serveTurns<More extends object>(
  client: Client,
  reconciler: Reconciler<More>,
  { json }: ReconcileOptions,
): Promise<void> {
  return reconciler.withStores(async (look) => {
    const { createWorker } = await import('./worker.ts');
    const name = nameOf(reconciler);
    const { connection, namespace } = await connectWorker();
    const worker = await createWorker({ connection, namespace, taskQueue: name, client, look });
    if (!json) console.log(`Serving task queue ${name}, until Ctrl-C.`);
    await runUntilStopped(worker, connection);
  });
}
