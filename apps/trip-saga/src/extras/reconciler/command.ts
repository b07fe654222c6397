import { milliseconds } from '@repo/dev-stack/commands';
import { InvalidInputError, OperatorError } from '@repo/worker-kit';
import type { Client } from '@temporalio/client';
import { ServiceError } from '../../services.ts';
import { reconciliationInWords } from '../trip-words.ts';
import { reconcile } from './reconcile.ts';
import { reconcilerQueue, schedule, scheduleId, unschedule } from './schedule.ts';
import { withServices } from './services-at-hand.ts';

export interface ReconcileOptions {
  dryRun?: boolean;
  grace: string;
  every?: string;
  stop?: boolean;
  serve?: boolean;
  json?: boolean;
}

/**
 * `trip reconcile`: one turn, the schedule of it, or the worker for that. What is checked is checked at once, before
 * there is a client.
 * @returns runs it, and resolves with the exit code: 3 if a person has to look at something
 * @throws InvalidInputError for a duration that cannot be read; what it returns, OperatorError if a service does not answer
 */
export function reconcileCommand(options: ReconcileOptions): (client: Client) => Promise<number> {
  const graceMs = milliseconds('grace', options.grace);
  const everyMs = options.every === undefined ? undefined : milliseconds('every', options.every);
  if (everyMs !== undefined && everyMs < 1_000) {
    throw new InvalidInputError([{ field: 'every', message: 'must be at least 1s' }]);
  }
  return async (client) => {
    if (options.stop) return stop(client, options);
    if (everyMs !== undefined) await begin(client, options, everyMs, graceMs);
    if (options.serve) return serve();
    return everyMs === undefined ? once(client, options, graceMs) : 0;
  };
}

async function stop(client: Client, { json }: ReconcileOptions): Promise<number> {
  const ended = await unschedule(client);
  console.log(json ? JSON.stringify({ ended }) : `Schedule ${scheduleId} ${ended ? 'is deleted' : 'is not there'}.`);
  return 0;
}

async function begin(client: Client, { json, every, serve }: ReconcileOptions, everyMs: number, graceMs: number) {
  const done = await schedule(client, everyMs, graceMs);
  const taskQueue = reconcilerQueue();
  if (json) return console.log(JSON.stringify({ scheduleId, done, everyMs, graceMs, taskQueue }));
  console.log(`Schedule ${scheduleId} is ${done}: every ${every}, on task queue ${taskQueue}.`);
  if (!serve) console.log('Its worker: pnpm --filter trip-saga trip reconcile --serve');
}

/** The worker of the schedule, until Ctrl-C. */
function serve(): Promise<number> {
  return withServices(async (urls) => {
    Object.assign(process.env, urls);
    console.log(`Serving task queue ${reconcilerQueue()}, until Ctrl-C.`);
    await import('./worker.ts');
    return Number(process.exitCode ?? 0);
  });
}

async function once(client: Client, { dryRun = false, json }: ReconcileOptions, graceMs: number): Promise<number> {
  const result = await withServices((urls) => reconcile({ client, urls, now: Date.now(), graceMs, dryRun })).catch(
    (error: unknown) => {
      if (!(error instanceof ServiceError)) throw error;
      const nextStep = 'Start it, or say where it is with FLIGHT_URL, HOTEL_URL and CAB_URL; then run this again.';
      throw new OperatorError(`Nothing was looked at: ${error.message}.`, nextStep, { cause: error });
    },
  );
  console.log(json ? JSON.stringify(result) : reconciliationInWords(result, dryRun));
  return result.attention.length > 0 ? 3 : 0;
}
