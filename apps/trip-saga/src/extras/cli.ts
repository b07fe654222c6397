import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import {
  appProgram,
  hinting,
  print,
  unlessStopped,
  untilStopped,
  wholeNumber,
  withClient,
} from '@repo/dev-stack/commands';
import { addScheduleOptions } from '@repo/reconciler/options';
import { InvalidInputError, isMain, parseInput, parseJson, runProgram, taskQueue } from '@repo/worker-kit';
import { InvalidArgumentError, Option } from 'commander';
import type { Demo } from './demo.ts';

// Everything else is imported where it is needed: a command that loads the whole app takes a second longer to begin.

const program = appProgram<Demo>({
  app: 'trip-saga',
  name: 'trip',
  description: 'Flight, hotel and cab, undone when one of them fails',
  needs: ['temporal', 'postgres'],
  cli: import.meta.url,
  load: () => import('./start.ts'),
});

program
  .command('book')
  .description('books a trip and waits for its outcome')
  .option('--from <city>')
  .option('--to <city>')
  .option('--departure <date>', 'YYYY-MM-DD')
  .option('--return <date>', 'YYYY-MM-DD')
  .option('--passengers <n>', 'default: 1', wholeNumber)
  .option('--traveller <name>', 'default: you')
  .option('--trip-id <id>', 'default: a new one; the same id again is the same trip')
  .option('--input <json>', 'the whole request as JSON, instead of the options above')
  .option('--json', 'print the outcome as JSON')
  .action(async ({ json, input, ...options }) => {
    const given = input === undefined ? [] : Object.keys(options);
    if (given.length > 0) {
      throw new InvalidInputError(given.map((field) => ({ field, message: 'cannot be given together with --input' })));
    }
    const { defaultTaskQueue, tripRequestAtTheDoor } = await import('../contract.ts');
    const { bookOrFind, isRecorded } = await import('./trips.ts');
    const { workerCommand } = await import('./trip-lookup.ts');
    const { outcomeInWords } = await import('./trip-words.ts');
    const door = tripRequestAtTheDoor(Date.now());
    const defaults = { tripId: randomUUID().slice(0, 8), traveller: userInfo().username, passengers: 1 };
    const request = input === undefined ? parseInput(door, { ...defaults, ...options }) : parseJson(door, input);
    const { tripId } = request;
    return withClient(async (client) => {
      const queue = taskQueue(defaultTaskQueue);
      const hint = `Waiting. If nobody serves task queue ${queue}, start a worker: ${workerCommand(queue)}`;
      const booking = () => hinting(bookOrFind(client, request, userInfo().username), hint);
      const outcome = await untilStopped(client, booking);
      if (outcome !== undefined) return print(json, outcome, outcomeInWords);
      process.exitCode = 130;
      if (!(await isRecorded(client, tripId))) return console.error(`Trip ${tripId} was not begun.`);
      console.error(`Trip ${tripId} is recorded, and will be booked as soon as a worker runs: ${workerCommand(queue)}`);
      console.error(`To cancel it: pnpm --filter trip-saga trip cancel ${tripId}`);
    });
  });

program
  .command('status')
  .description('what is known of a trip')
  .argument('<trip-id>')
  .option('--json', 'print the whole state as JSON')
  .action(async (tripId, { json }) => {
    const { tripState } = await import('./trips.ts');
    const { stateInWords } = await import('./trip-words.ts');
    return withClient(async (client) => print(json, await tripState(client, tripId), stateInWords));
  });

program
  .command('cancel')
  .description('cancels a trip, until its departure, and waits for what becomes of it')
  .argument('<trip-id>')
  .option('--requested-at <time>', 'when the traveller asked, ISO 8601; default: now')
  .option('--no-wait', 'only record the cancellation, as is done when no worker answers')
  .option('--json', 'print the outcome as JSON')
  .action(async (tripId, { json, wait, requestedAt }) => {
    const { cancelAtTheDoor, cancelTrip } = await import('./trips.ts');
    const { outcomeInWords } = await import('./trip-words.ts');
    const request = parseInput(cancelAtTheDoor, requestedAt === undefined ? {} : { requestedAt });
    return withClient(async (client) => {
      const outcome = await cancelTrip(client, tripId, { ...request, wait });
      if (outcome) return print(json, outcome, outcomeInWords);
      const recorded = `The cancellation of trip ${tripId} is recorded${wait ? '; no worker answers, so it' : '. It'}`;
      print(json, { tripId, recorded: true }, () => `${recorded} takes effect as soon as one does.`);
    });
  });

program
  .command('resolve')
  .description('tries again what could not be undone, once its cause is mended')
  .argument('<trip-id>')
  .option('--json', 'print the outcome as JSON')
  .action(async (tripId, { json }) => {
    const { resolveTrip } = await import('./trips.ts');
    const { outcomeInWords } = await import('./trip-words.ts');
    return withClient(async (client) => print(json, await resolveTrip(client, tripId), outcomeInWords));
  });

program
  .command('list')
  .description('trips: open ones first, the newest of them on top, then those that ended last')
  .option('--status <status>', 'booking, compensating, booked, compensated, cancelled or needs-attention')
  .addOption(new Option('--needs-attention', 'those that wait for a person').conflicts('status'))
  .option('--started-by <user>')
  .option('--limit <n>', 'default: 50')
  .option('--json', 'print them as JSON')
  .action(async ({ json, needsAttention, ...filter }) => {
    const { listQuery, listTrips } = await import('./trips.ts');
    const { listInWords } = await import('./trip-words.ts');
    const query = parseInput(listQuery, needsAttention ? { ...filter, status: 'needs-attention' } : filter);
    return withClient(async (client) => print(json, await listTrips(client, query), listInWords));
  });

program
  .command('service')
  .description('the trip service: trips over HTTP, until Ctrl-C')
  .option('--port <n>', 'default: 3000; 0 is any free one', portNumber)
  .action(async ({ port = 3000 }) => {
    const { serveTrips } = await import('./trip-service.ts');
    return withClient(async (client) => {
      const { url, close } = await serveTrips({ client, startedBy: userInfo().username }, port);
      console.log(`The trip service listens on ${url}: POST ${url}/trips`);
      await unlessStopped(new Promise(() => {}));
      await close();
    });
  });

addScheduleOptions(
  program
    .command('reconcile')
    .description(
      'undoes what workflows that were ended from outside have left behind; exit code 3 if a person has to look',
    )
    .option('--dry-run', 'only say what would be undone')
    .option('--grace <duration>', 'leave alone what is younger than that', '15m'),
)
  .option('--json', 'print the result as JSON')
  .action(async (options) => (await import('./reconciler/command.ts')).reconcileCommand(options));

function portNumber(text: string): number {
  const port = wholeNumber(text);
  if (port < 0 || port > 65_535) throw new InvalidArgumentError('must be from 0 to 65535');
  return port;
}

/** Runs one command: `trip book --from BER …`. The exit code goes to `process.exitCode`. */
export const run = (args: readonly string[]): Promise<void> =>
  runProgram(async () => {
    await program.parseAsync(args, { from: 'user' });
  });

if (isMain(import.meta.url)) await run(process.argv.slice(2));
