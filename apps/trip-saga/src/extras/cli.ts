import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runEveryScenario, runStart, type StartApp, withTemporal } from '@repo/dev-stack/commands';
import { buildWorkflowBundle, connectClient, parseInput, parseJson, runProgram, taskQueue } from '@repo/worker-kit';
import { Command, InvalidArgumentError } from 'commander';
import type { TripOutcome, TripState } from '../contract.ts';
import type { Demo } from './demo.ts';

// Everything else is imported where it is needed: a command that loads the whole app takes a second longer to begin.

const app: Pick<StartApp<Demo>, 'app' | 'needs'> = { app: 'trip-saga', needs: ['temporal', 'postgres'] };
const start: StartApp<Demo> = { ...app, load: async () => (await import('./start.ts')).start };
const worker: StartApp<Demo> = { ...app, load: async () => (await import('./start.ts')).worker };

// What was typed wrongly is bad input: exit code 2.
const program = new Command('trip')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .description('Flight, hotel and cab, undone when one of them fails');

program
  .command('start', { isDefault: true })
  .description('brings up everything this app needs and shows it: `start`, `start hotel-full`')
  .argument('[scenario]')
  .option('--once', 'one scenario and out, as without a terminal; exit code 0 only if its promise is kept')
  .option('--verbose', 'show what all the programs write')
  .action((scenario, options) => runStart(start, { scenario, ...options }));

program
  .command('worker')
  .description('services and worker, until Ctrl-C')
  .option('--verbose', 'show what all the programs write')
  .action((options) => runStart(worker, { once: true, ...options }));

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
    const { defaultTaskQueue, tripRequestAtTheDoor } = await import('../contract.ts');
    const { bookOrFind } = await import('./trips.ts');
    const door = tripRequestAtTheDoor(Date.now());
    const defaults = { tripId: randomUUID().slice(0, 8), traveller: userInfo().username, passengers: 1 };
    const request = input === undefined ? parseInput(door, { ...defaults, ...options }) : parseJson(door, input);
    return withTemporal(async () => {
      const client = await connectClient();
      const hint = setTimeout(
        () => console.error(`Waiting. Is there a worker on task queue ${taskQueue(defaultTaskQueue)}?`),
        3000,
      );
      const outcome = await bookOrFind(client, request, userInfo().username).finally(() => {
        clearTimeout(hint);
        return client.connection.close();
      });
      console.log(json ? JSON.stringify(outcome) : outcomeInWords(outcome));
    });
  });

program
  .command('status')
  .description('what is known of a trip')
  .argument('<trip-id>')
  .option('--json', 'print the whole state as JSON')
  .action((tripId, { json }) =>
    withTemporal(async () => {
      const { tripState } = await import('./trips.ts');
      const client = await connectClient();
      const state = await tripState(client, tripId).finally(() => client.connection.close());
      console.log(json ? JSON.stringify(state) : stateInWords(state));
    }),
  );

program
  .command('e2e')
  .description('every scenario with --once; the report goes to reports/e2e.json')
  .action(() => runEveryScenario(start, fileURLToPath(import.meta.url)));

program
  .command('build')
  .description('the workflow bundle, dist/workflows.js, which the worker takes by --bundle')
  .action(async () => {
    await buildWorkflowBundle(new URL('../workflows.ts', import.meta.url));
  });

function wholeNumber(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

function outcomeInWords(outcome: TripOutcome): string {
  const name = `Trip ${outcome.tripId}`;
  switch (outcome.status) {
    case 'booked': {
      const { flight, hotel, cab } = outcome.bookings;
      return `${name} is booked: ${flight.confirmation}, ${hotel.confirmation}, ${cab.confirmation}`;
    }
    case 'compensated':
      return `${name} is not booked: ${outcome.reason.message}. Undone: ${outcome.undone.join(', ') || 'nothing'}`;
    case 'cancelled':
      return `${name} is cancelled. Undone: ${outcome.undone.join(', ') || 'nothing'}`;
    case 'needs-attention':
      return `${name} needs attention: ${outcome.stuck.map(({ service, message }) => `${service}: ${message}`).join('; ')}`;
  }
}

function stateInWords({ request, status, outcome }: TripState): string {
  return outcome ? outcomeInWords(outcome) : `Trip ${request.tripId} is ${status}`;
}

await runProgram(async () => {
  await program.parseAsync();
});
