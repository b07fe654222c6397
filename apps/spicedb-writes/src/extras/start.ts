import type { StartDefinition } from '@repo/dev-stack';
import { taskQueue } from '@repo/worker-kit';
import { defaultTaskQueue } from '../contract.ts';
import { type Demo, setUp } from './demo.ts';
import { whatToTry } from './same-by-hand.ts';
import { scenarios } from './scenarios.ts';

/** `start`: a worker of its own on the stack of this clone, and a scenario. */
export const start: StartDefinition<Demo> = {
  title: 'spicedb-writes: a post in PostgreSQL, its author in SpiceDB',
  scenarios,
  defaultScenario: 'write',
  // A task queue of its own, so that two of them never mix.
  setUp: (session) => setUp(session, session.taskQueue, { migrates: true }),
  afterwards: (_, session) => whatToTry(session).forEach(session.print),
};

/** `worker`: a worker on the app's own task queue, for as long as nobody stops it. */
export const worker: StartDefinition<Demo> = {
  title: 'spicedb-writes: a worker',
  scenarios: [
    {
      name: 'worker',
      title: `A worker takes what comes on task queue ${taskQueue(defaultTaskQueue)}`,
      promises: 'it takes what comes.',
      timeLimitMs: Infinity,
      run: (_, session) => {
        session.print('  Until Ctrl-C. In another terminal, for example:');
        session.print('    pnpm --filter spicedb-writes write --author bob --post some_post');
        return new Promise(() => {});
      },
    },
  ],
  defaultScenario: 'worker',
  setUp: (session) => setUp(session, taskQueue(defaultTaskQueue), { migrates: false }),
};
