import type { StartDefinition } from '@repo/dev-stack';
import { taskQueue } from '@repo/worker-kit';
import { defaultTaskQueue } from '../contract.ts';
import { type Demo, setUp } from './demo.ts';
import { anotherTrip } from './same-by-hand.ts';
import { scenarios } from './scenarios.ts';

/** `start`: services and worker of its own on the stack of this clone, and a scenario. */
export const start: StartDefinition<Demo> = {
  title: 'trip-saga: flight, hotel and cab, or none',
  scenarios,
  defaultScenario: 'book',
  // A task queue of its own, so that two of them never mix.
  setUp: (session) => setUp(session, session.taskQueue, true),
  afterwards: (_, session) => anotherTrip(session).forEach(session.print),
};

/** `worker`: services and worker on the app's own task queue, for as long as nobody stops them. */
export const worker: StartDefinition<Demo> = {
  title: 'trip-saga: services and worker',
  scenarios: [
    {
      name: 'worker',
      title: `A worker takes what comes on task queue ${taskQueue(defaultTaskQueue)}`,
      promises: 'it takes what comes.',
      timeLimitMs: Infinity,
      run: (_, session) => {
        session.print('  Until Ctrl-C. In another terminal, for example:');
        session.print('    pnpm --filter trip-saga trip book --from BER --to LIS --departure … --return …');
        return new Promise(() => {});
      },
    },
  ],
  defaultScenario: 'worker',
  setUp: (session) => setUp(session, taskQueue(defaultTaskQueue), false),
};
